-- One row where the range before was believed the same way: it grows.
update block_range
set to_block = $3, to_hash = $4, logs = logs + $7, foreign_logs = foreign_logs + $8, read_at = now()
where source_id = $1 and to_block = $2 - 1 and verdict = $5 and node = $6
