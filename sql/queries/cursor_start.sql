-- No row: the source's cursor stands before its first block.
insert into cursor (source_id, number, hash, block_time)
values ($1, $2, $3, to_timestamp($4))
on conflict (source_id) do nothing
