-- One row, or none: an order.
select * from reporting.hedge_order where order_id = $1
