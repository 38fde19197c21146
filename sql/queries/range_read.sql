-- One row a range that is believed less than wanted, newest first.
select from_block, to_block, to_hash, verdict, node, logs, foreign_logs
from block_range
where source_id = $1 and to_block >= $2 and from_block <= $3
  and array_position(array['taken', 'bloom', 'cross-checked', 'proved'], verdict)
      < array_position(array['taken', 'bloom', 'cross-checked', 'proved'], $4)
order by from_block desc
limit 1
