-- One row per id of a broker that belongs to an order of ours, of late.
select broker_order_id from broker_order where venue_id = $1 and seen_at > $2
