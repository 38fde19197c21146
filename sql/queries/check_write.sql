-- No row: what a check found.
insert into check_result (run_id, name, failures, allowed, sample, checked_at) values ($1, $2, $3, $4, $5::jsonb, $6)
