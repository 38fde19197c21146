-- One row per wrapper of a source: its ratio at the last cut before a block.
select distinct on (token) token, ratio, block_number
from recon_ratio where source = $1 and block_number < $2
order by token, block_number desc, run_id desc
