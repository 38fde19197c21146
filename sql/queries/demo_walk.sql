-- One row per step of an order, oldest first.
select event, detail, happened_at from order_event where order_id = $1 order by id
