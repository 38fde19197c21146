-- One row, or none: the order that has this id of ours.
select id from hedge_order where client_order_id = $1
