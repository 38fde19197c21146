-- One row per job and time at which it was due.
create view reporting.job_run as
select
    r.id                                                    as run_number,
    r.job,
    r.business_date,
    r.due_at,
    r.state,
    r.said,
    r.attempt,
    r.started_at,
    r.finished_at,
    round(extract(epoch from r.finished_at - r.started_at), 3) as duration_seconds,
    r.holder
from job_run r;

comment on view reporting.job_run is 'One row per job and time at which it was due: whoever called, it was run once.';
comment on column reporting.job_run.run_number is 'Number of the run, in the order of beginning.';
comment on column reporting.job_run.job is 'Name of the job, as in jobs/.';
comment on column reporting.job_run.business_date is 'The day that it is about, in the job''s own zone.';
comment on column reporting.job_run.due_at is 'When it was due, UTC; when a person called, where that was before its time.';
comment on column reporting.job_run.state is 'running, done, found (something is not in order), incomplete (not all could be asked), inconsistent (the books contradict themselves), skipped or failed.';
comment on column reporting.job_run.said is 'What came of it, in a sentence. NULL while it runs.';
comment on column reporting.job_run.attempt is 'How often it was begun.';
comment on column reporting.job_run.started_at is 'When it was begun last, UTC.';
comment on column reporting.job_run.finished_at is 'When it ended, UTC. NULL while it runs.';
comment on column reporting.job_run.duration_seconds is 'Seconds from its last beginning to its end. NULL while it runs.';
comment on column reporting.job_run.holder is 'Who ran it: host and process.';
