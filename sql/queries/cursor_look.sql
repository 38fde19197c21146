-- No row: what a node said of its head when we last looked. Finality never goes back.
update cursor
set head = $2,
    safe = greatest(safe, $3),
    finalized = greatest(finalized, $4),
    looked_at = now()
where source_id = $1
