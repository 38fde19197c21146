-- No row: a time at which a job was not run, and why.
insert into job_run (job, due_at, business_date, state, holder, started_at, finished_at, said)
values ($1, $2, $3, 'skipped', $4, $5, $5, $6)
on conflict (job, due_at) do nothing
