-- One row per source: how far it is written.
select *
from reporting.cursor
where $1::text is null or source = $1
order by source
limit $2::bigint
