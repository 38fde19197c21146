-- One row per run: the newest of each job, or ($1) the last so many of all.
select r.*
from reporting.job_run r
where $1::bigint is not null
   or r.run_number in (select distinct on (job) id from job_run where state <> 'skipped' order by job, due_at desc)
order by case when $1::bigint is null then r.job end, r.due_at desc, r.job
limit coalesce($1, 100)
