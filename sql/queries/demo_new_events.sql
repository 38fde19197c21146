-- One row per event of an order after another one, that tells a story.
select event_id, order_id, symbol, event, detail
from reporting.order_event
where event_id > $1 and event in ('planned', 'unanswered', 'found', 'doubted', 'closed')
order by event_id
