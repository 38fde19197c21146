-- One row per part of an exposure, oldest first, as people know it.
select p.what, p.at, p.quantity,
    f.side, f.quantity as of, round(f.usdc / nullif(f.quantity, 0), 6) as price,
    '0x' || encode(l.tx_hash, 'hex') as tx_hash, p.log_index, l.block_number,
    e.order_id, e.execution_id
from reporting.exposure_parts($1, $2, $3, null) p
left join fill f on (f.chain_id, f.block_hash, f.log_index, f.role) = (p.chain_id, p.block_hash, p.log_index, p.role)
left join chain_log l on (l.chain_id, l.block_hash, l.log_index) = (p.chain_id, p.block_hash, p.log_index)
left join execution e on e.id = p.execution
order by p.at, l.block_number, p.log_index
