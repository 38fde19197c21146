-- One row per lot that was opened before a time, oldest first, and how many there are in all.
select symbol::text as symbol, opened_at, opening_type || ':' || opening_id as opening,
    case side when 'LONG' then quantity else -quantity end as quantity,
    case side when 'LONG' then cost else -cost end as cost,
    count(*) over () as lots
from open_lot
where opened_at < $1
order by opened_at, symbol, position
limit $2
