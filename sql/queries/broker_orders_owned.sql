-- One row per id of a broker that is spoken for, of late: an order of ours has it, or it was seen not to be ours.
select broker_order_id from broker_order where venue_id = $1 and seen_at > $2
union
select broker_order_id from foreign_order where venue_id = $1 and seen_at > $2
