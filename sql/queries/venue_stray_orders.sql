-- One row per venue that has live orders and is not among those of now.
select v.name, v.broker, v.environment, count(*) as orders, min(o.id) as first
from hedge_order o join venue v on v.id = o.venue_id
where o.state <> 'closed' and not (v.id = any($1::int[]))
group by v.name, v.broker, v.environment
order by v.name
