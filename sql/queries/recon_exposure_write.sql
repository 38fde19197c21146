-- One row a share of a run.
insert into recon_exposure (run_id, symbol, net, pending, remains, value_usd, within, why, why_since, oldest_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
