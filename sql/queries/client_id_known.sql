-- One row: whether an id of ours is on record.
select exists (select from hedge_order where client_order_id = $1) as known
