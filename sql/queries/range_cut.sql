-- No row: ranges end at the fork.
with above as (delete from block_range where source_id = $1 and from_block > $2)
update block_range
set to_block = $2, to_hash = $3,
    logs = (select count(*) from chain_log l
            where l.source_id = $1 and l.taken_by is null and l.block_number between from_block and $2)
where source_id = $1 and from_block <= $2 and to_block > $2
