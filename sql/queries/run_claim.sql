-- One row: the run of this job at this time, ours now, with how often it was tried. No row: it has ended
-- already, or failed at or after $6, or $7 times; with $8 it is ours whatever came of it. Who asks holds the job's lock: one that still runs is of a process that is gone.
insert into job_run as r (job, due_at, business_date, holder, started_at) values ($1, $2, $3, $4, $5)
on conflict (job, due_at) do update
set state = 'running', attempt = r.attempt + 1, holder = excluded.holder, started_at = excluded.started_at,
    finished_at = null, said = null
where r.state = 'running' or (r.state = 'failed' and r.started_at < $6 and r.attempt < $7) or $8
returning id, attempt
