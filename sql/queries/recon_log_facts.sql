-- One row per fact of these logs of a chain: what it did to which vaults.
select l.block_number, l.tx_hash, l.log_index, 'fill' as what, f.owner, f.side, f.symbol, f.token, f.vault_in, f.vault_out,
    f.token_quantity as tokens, f.usdc, null::bytea as vault_id
from unnest($2::bytea[], $3::int[]) as w (block_hash, log_index)
join chain_log l using (block_hash, log_index) join fill f using (chain_id, block_hash, log_index)
where l.chain_id = $1
union all
select l.block_number, l.tx_hash, l.log_index, m.kind, m.owner, '', '', m.token, null, null, m.amount, 0, m.vault_id
from unnest($2::bytea[], $3::int[]) as w (block_hash, log_index)
join chain_log l using (block_hash, log_index) join vault_move m using (chain_id, block_hash, log_index)
where l.chain_id = $1
order by 1, 3
