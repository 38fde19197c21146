-- One row a canonical log of a transaction in which a trade was skipped of which it is not known what it moved.
with open as (
    select k.chain_id, k.block_hash, l.tx_hash
    from skipped_log k
    join chain_log l using (chain_id, block_hash, log_index)
    where l.source_id = $1 and l.taken_by is null and l.block_number <= $2
        and k.role <> '' and k.reason in ('pair', 'zero', 'range', 'token', 'ratio')
        and not exists (
            select from skipped_move m
            where (m.chain_id, m.block_hash, m.log_index, m.role) = (k.chain_id, k.block_hash, k.log_index, k.role))
        and not exists (
            select from fill f
            where (f.chain_id, f.block_hash, f.log_index, f.role) = (k.chain_id, k.block_hash, k.log_index, k.role))
)
select l.block_number, l.block_hash, l.log_index, l.tx_hash, l.tx_index, s.address, l.topics, l.data,
    extract(epoch from l.block_time)::bigint as block_time
from chain_log l
join source s on s.id = l.source_id
where l.source_id = $1 and l.taken_by is null
    and (l.chain_id, l.block_hash, l.tx_hash) in (select chain_id, block_hash, tx_hash from open)
order by l.block_number, l.log_index
