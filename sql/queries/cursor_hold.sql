-- One row: the source's cursor, which nobody else moves until the transaction ends.
select number from cursor where source_id = $1 for update
