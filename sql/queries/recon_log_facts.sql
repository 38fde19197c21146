-- One row per fact of these logs of a chain: what it did to which vaults. A trade that is no fill has two: what
-- came, and what went.
with wanted as (
    select l.chain_id, l.block_hash, l.log_index, l.block_number, l.tx_hash
    from unnest($2::bytea[], $3::int[]) as w (block_hash, log_index)
    join chain_log l using (block_hash, log_index)
    where l.chain_id = $1
)
select w.block_number, w.block_hash, w.tx_hash, w.log_index, 'fill' as what, f.owner, f.side, f.symbol, f.token, f.vault_in,
    f.vault_out, f.token_quantity as tokens, f.usdc, null::bytea as vault_id
from wanted w join fill f using (chain_id, block_hash, log_index)
union all
select w.block_number, w.block_hash, w.tx_hash, w.log_index, m.kind, m.owner, '', '', m.token, null, null, m.amount, 0, m.vault_id
from wanted w join vault_move m using (chain_id, block_hash, log_index)
union all
select w.block_number, w.block_hash, w.tx_hash, w.log_index, 'no fill (' || k.reason || ')', m.owner, '', '', m.token, null, null,
    m.amount, 0, m.vault_id
from wanted w
join skipped_move m using (chain_id, block_hash, log_index)
join skipped_log k using (chain_id, block_hash, log_index, role)
where not exists (
    select from fill f
    where (f.chain_id, f.block_hash, f.log_index, f.role) = (m.chain_id, m.block_hash, m.log_index, m.role))
order by 1, 2, 4, 5, 12
