-- One row per fill of a transaction, as the chain has it now.
select
    l.block_time                          as executed_at,
    s.name                                as source,
    '0x' || encode(l.tx_hash, 'hex')      as tx_hash,
    l.block_number,
    l.log_index,
    f.role,
    f.side,
    f.symbol,
    f.quantity,
    f.usdc,
    f.token_quantity_exact,
    f.usdc_exact
from source s
join chain_log l on l.chain_id = s.chain_id and l.source_id = s.id and l.tx_hash = $1 and l.taken_by is null
join fill f on f.chain_id = l.chain_id and f.block_hash = l.block_hash and f.log_index = l.log_index
order by l.block_number, l.log_index, f.role
