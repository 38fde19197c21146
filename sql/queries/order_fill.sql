-- No row: so much more of an order is filled.
update hedge_order set filled = filled + $2 where id = $1
