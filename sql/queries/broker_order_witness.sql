-- One row, or none: the last id that the broker gave to an order of ours.
select broker_order_id from broker_order where venue_id = $1 order by seen_at desc limit 1
