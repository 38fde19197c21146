-- One row per closed order that does not say what its end rests on.
select o.id, o.why
from hedge_order o
where o.state = 'closed'
  and not exists (select from order_event e where e.order_id = o.id and e.event = 'closed' and e.state = 'closed')
