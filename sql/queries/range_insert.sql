-- No row: a range as it was read.
insert into block_range (source_id, from_block, to_block, to_hash, verdict, node, logs, foreign_logs)
values ($1, $2, $3, $4, $5, $6, $7, $8)
