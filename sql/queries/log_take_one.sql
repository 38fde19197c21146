-- No row: a log that the chain does not have is marked with the audit that found it out.
with taken as (
    update chain_log set taken_by = $4
    where chain_id = $1 and block_hash = $2 and log_index = $3 and taken_by is null
    returning 1
)
update reorg set logs_taken = logs_taken + (select count(*) from taken) where id = $4
