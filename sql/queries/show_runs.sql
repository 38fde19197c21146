-- One row per job and time at which it was due, newest first.
select *
from reporting.job_run
where ($1::text is null or job = $1)
  and ($2::date is null or business_date = $2)
order by due_at desc, job
limit $3::bigint
