-- One row: how many of the imported trades our own books of the chain have, and up to which block.
select
    count(*)                                   as trades,
    count(ours.block_number)                   as indexed,
    count(*) filter (where not ours.agrees)    as otherwise,
    max(ours.block_number)                     as last_block
from imported_trade t
left join lateral (
    select
        l.block_number,
        exists (select from fill f
                where (f.chain_id, f.block_hash, f.log_index) = (l.chain_id, l.block_hash, l.log_index)
                    and (f.symbol, f.side) = (t.symbol, t.side)
                    and abs(f.quantity - t.quantity) <= 0.000001) as agrees
    from source s
    join chain_log l
        on l.chain_id = s.chain_id and l.tx_hash = t.tx_hash and l.log_index = t.log_index
        and l.taken_by is null and l.source_id = s.id
    limit 1
) ours on true
