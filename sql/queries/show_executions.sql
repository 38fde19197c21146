-- One row per execution, newest first.
select *
from reporting.execution
where ($1::text is null or symbol = $1)
order by executed_at desc, execution_number desc
limit $2::bigint
