-- One row per run that is to be tried again: its process may be gone, or it failed fewer than $2 times, and was
-- last begun before $1.
select job, due_at, business_date
from job_run
where state = 'running' or (state = 'failed' and started_at < $1 and attempt < $2)
order by due_at
