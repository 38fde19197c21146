-- One row: the run's number.
insert into recon_run (job_run_id, business_date, attempt, started_at, finished_at, status, passes, input_digest, output_digest,
    open_breaks, unexplained, code_version, supersedes, said)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
returning id
