-- One row: whether a broker's order is known not to be ours.
select exists (select from foreign_order where venue_id = $1 and broker_order_id = $2) as known
