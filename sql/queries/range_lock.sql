-- One row: the range that holds a block.
select from_block, to_block, to_hash, verdict, node, logs, foreign_logs
from block_range
where source_id = $1 and from_block <= $2 and to_block >= $2
for update
