-- One row, or none: a fill, by its chain, transaction, log and our side of it; where the chain took it back, when.
with place as (
    select s.name as source, l.block_number, '0x' || encode(l.block_hash, 'hex') as block_hash
    from chain_log l
    join source s on s.id = l.source_id
    where l.chain_id = $1 and l.tx_hash = decode($2, 'hex') and l.log_index = $3
    order by l.taken_by is null desc, l.taken_by desc
    limit 1
)
select f.chain_id, f.source, f.block_number, f.tx_hash, f.log_index, f.role, f.side, f.owner, f.symbol, f.token_address,
    f.token_quantity, f.wrapper_ratio, f.quantity, f.usdc, f.price_per_underlying, f.vault_in, f.vault_out, f.executed_at,
    null::timestamptz as taken_at, null::text as cause
from place p
join reporting.fill f on f.source = p.source and f.block_number = p.block_number and f.block_hash = p.block_hash
    and f.log_index = $3 and f.role = $4
union all
select f.chain_id, f.source, f.block_number, f.tx_hash, f.log_index, f.role, f.side, f.owner, f.symbol, f.token_address,
    f.token_quantity, f.wrapper_ratio, f.quantity, f.usdc, f.price_per_underlying, f.vault_in, f.vault_out, f.executed_at,
    f.taken_at, f.cause
from place p
join reporting.orphaned_fill f on f.source = p.source and f.block_number = p.block_number and f.block_hash = p.block_hash
    and f.log_index = $3 and f.role = $4
limit 1
