-- One row per wrapper of a run: what it was worth.
select source, token, symbol, held, ratio, block_number from recon_ratio where run_id = $1 order by source, token
