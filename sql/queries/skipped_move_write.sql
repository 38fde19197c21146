-- No row: what skipped sides of logs of a chain moved, and the vaults that they speak of.
with moved as (
    insert into skipped_move (chain_id, block_hash, log_index, role, direction, owner, token, vault_id, amount_exact)
    select k.chain_id, k.block_hash, k.log_index, k.role, w.direction, w.owner, w.token, w.vault_id, w.amount::numeric
    from unnest($2::bytea[], $3::int[], $4::text[], $5::text[], $6::bytea[], $7::bytea[], $8::bytea[], $9::text[])
        as w (block_hash, log_index, role, direction, owner, token, vault_id, amount)
    join skipped_log k on (k.chain_id, k.block_hash, k.log_index, k.role) = ($1, w.block_hash, w.log_index, w.role)
    on conflict do nothing
    returning chain_id, block_hash, log_index, owner, token, vault_id
)
insert into vault (source_id, owner, token, vault_id, found_by, block_number)
select l.source_id, m.owner, m.token, m.vault_id, 'fill', min(l.block_number)
from moved m
join chain_log l using (chain_id, block_hash, log_index)
group by l.source_id, m.owner, m.token, m.vault_id
on conflict do nothing
