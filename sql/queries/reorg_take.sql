-- No row: the logs above the fork are marked with the reorg that took them, and what comes
-- in their place is released anew.
with taken as (
    update chain_log set taken_by = $3
    where source_id = $1 and block_number > $2 and taken_by is null
    returning 1
),
released as (
    update release set to_block = $2 where source_id = $1 and to_block > $2
)
update reorg set logs_taken = (select count(*) from taken) where id = $3
