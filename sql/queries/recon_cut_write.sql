-- One row a source of a run.
insert into recon_cut (run_id, source, as_of, block_number, block_hash, read_started, read_finished, completeness, why, asked_since)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
