-- One row per job: the last time of it that ended, other than by failing.
select job, max(due_at) as due_at from job_run where state not in ('running', 'failed') group by job
