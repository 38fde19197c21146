-- No row: a source without a cursor has not looked at its chain yet.
delete from cursor where source_id = $1
