-- One row per look for an order, from then on and since it was last sent or seen, that found nothing.
select happened_at from order_event
where order_id = $1
  and event = 'searched'
  and happened_at >= $2
  and id > (select coalesce(max(id), 0) from order_event
            where order_id = $1 and event in ('sent', 'sent again', 'accepted', 'found', 'executed'))
order by id
