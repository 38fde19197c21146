-- One row per fill whose quantity is not its tokens at its ratio, cut to 18 decimals.
select
    chain_id,
    '0x' || encode(block_hash, 'hex') as block_hash,
    log_index,
    role,
    quantity,
    trunc(token_quantity * wrapper_ratio, 18) as expected
from fill
where quantity <> trunc(token_quantity * wrapper_ratio, 18)
order by chain_id, block_hash, log_index, role;
