-- One row a share of a run, and cash.
insert into recon_inventory (run_id, instrument, onchain, at_brokers, ratio, target, deviation, move_quantity)
values ($1, $2, $3, $4, $5, $6, $7, $8)
