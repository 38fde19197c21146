-- One row: whether this was said of the order before.
select exists (select from order_event where order_id = $1 and event = $2 and detail = $3) as told
