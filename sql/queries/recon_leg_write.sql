-- One row a place and instrument of a run.
insert into recon_leg (run_id, leg, account, instrument, expected, reported, residual, explained, unexplained, price, candidates)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
