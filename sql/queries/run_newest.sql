-- One row per job: its newest run that was not skipped.
select distinct on (job) job, due_at, business_date, state, attempt, started_at, finished_at, said
from job_run
where state <> 'skipped'
order by job, due_at desc
