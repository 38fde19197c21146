-- One row, or none: a fill, by its chain, transaction, log and our side of it.
with place as (
    select s.name as source, l.block_number
    from chain_log l
    join source s on s.id = l.source_id
    where l.chain_id = $1 and l.tx_hash = decode($2, 'hex') and l.log_index = $3 and l.taken_by is null
)
select f.*
from place p
join reporting.fill f on f.source = p.source and f.block_number = p.block_number and f.log_index = $3 and f.role = $4
