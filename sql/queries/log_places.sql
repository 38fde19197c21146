-- One row a canonical log of the source in a range.
select block_number, block_hash, log_index, tx_hash
from chain_log
where source_id = $1 and block_number between $2 and $3 and taken_by is null
order by block_number, log_index
