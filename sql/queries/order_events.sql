-- One row per event of an order since it was sent last, oldest first.
select event, happened_at from order_event
where order_id = $1
  and id >= (select coalesce(max(id), 0) from order_event where order_id = $1 and event in ('sent', 'sent again'))
order by id
