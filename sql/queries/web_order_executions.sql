-- One row per execution of an order, oldest first.
select * from reporting.execution where order_id = $1 order by executed_at, execution_number
