-- One row: the last id that the broker gave to an order of ours, of those that ended there if any did: a broker may
-- take a while to find what it has just accepted. Null: it never gave one.
select coalesce(
    (select b.broker_order_id from broker_order b join hedge_order o on o.id = b.order_id
     where b.venue_id = $1 and o.state = 'closed' order by b.seen_at desc limit 1),
    (select broker_order_id from broker_order where venue_id = $1 order by seen_at desc limit 1)) as broker_order_id
