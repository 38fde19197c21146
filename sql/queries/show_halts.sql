-- One row per act of halting or resuming, newest first.
select *
from reporting.halt
where ($1::text is null or symbol = $1)
  and (not $2::boolean or holds)
order by act_number desc
limit $3::bigint
