-- No row: a range that others are about to stand for.
delete from block_range where source_id = $1 and from_block = $2
