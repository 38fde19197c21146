-- One row a wrapper of a run.
insert into recon_ratio (run_id, source, token, symbol, held, ratio, block_number) values ($1, $2, $3, $4, $5, $6, $7)
