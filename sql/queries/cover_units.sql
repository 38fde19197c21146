-- One row per part of an exposure, oldest first; of what is younger than the last `$4` blocks, or of all.
select what, chain_id, block_hash, log_index, role, execution, at, quantity
from reporting.exposure_parts($1, $2, $3, $4)
