-- One row per part of an exposure, oldest first; without `$4`, what is near alone.
select what, chain_id, block_hash, log_index, role, execution, at, quantity
from reporting.exposure_parts($1, $2, $3, $4)
