-- No row: the broker knows an order by this id now, while it is not closed.
update hedge_order set broker_order_id = $2 where id = $1 and state <> 'closed'
