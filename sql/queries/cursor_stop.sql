-- No row: the source stands still until a person rewinds it.
update cursor set stopped_at = now(), stopped_why = $2 where source_id = $1 and stopped_why is null
