-- One row per time between two blocks that tokens of a wrapper came to us or left, in order: fills at the ratio of
-- their block, deposits and withdrawals at one that was not read.
select moved, ratio
from (
    select l.block_number, l.log_index, f.role, f.wrapper_ratio as ratio,
        case f.side when 'BUY' then f.token_quantity else -f.token_quantity end as moved
    from source s
    join chain_log l on l.source_id = s.id
    join fill f on (f.chain_id, f.block_hash, f.log_index) = (l.chain_id, l.block_hash, l.log_index)
    where s.name = $1 and f.token = $2 and l.block_number > $3 and l.block_number <= $4 and l.taken_by is null
    union all
    select l.block_number, l.log_index, '', null, m.amount
    from source s
    join chain_log l on l.source_id = s.id
    join vault_move m on (m.chain_id, m.block_hash, m.log_index) = (l.chain_id, l.block_hash, l.log_index)
    where s.name = $1 and m.token = $2 and l.block_number > $3 and l.block_number <= $4 and l.taken_by is null
) step
order by block_number, log_index, role
