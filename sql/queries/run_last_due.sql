-- One row per job: the last time of it that is on record, whatever came of it.
select job, max(due_at) as due_at from job_run group by job
