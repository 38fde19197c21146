-- No row: what a broker filled of one of its orders, as it says now.
update broker_order set filled = $3 where venue_id = $1 and broker_order_id = $2 and filled < $3
