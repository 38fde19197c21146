-- One row per thing that happened to a break, oldest first.
select e.id as event_number, e.happened_at, e.event, e.state, e.quantity, e.cash, e.until, e.reason, e.author, e.run_id,
    r.business_date
from recon_break_event e
left join recon_run r on r.id = e.run_id
where e.break_id = $1
order by e.id
