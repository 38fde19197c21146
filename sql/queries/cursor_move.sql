-- One row where the cursor stood where we thought it did: it moves on.
update cursor
set number = $4, hash = $5, block_time = to_timestamp($6), moved_at = now()
where source_id = $1 and number = $2 and hash = $3 and stopped_why is null
