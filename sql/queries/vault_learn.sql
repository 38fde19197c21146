-- No row: vaults that canonical deposits and fills of a source speak of, from one block to another.
-- $2: the quote token.
insert into vault (source_id, owner, token, vault_id, found_by, block_number)
select distinct on (owner, token, vault_id) $1, owner, token, vault_id, found_by, block_number
from (
    select l.block_number, 'deposit' as found_by, m.owner, m.token, m.vault_id
    from chain_log l
    join vault_move m using (chain_id, block_hash, log_index)
    where l.source_id = $1 and l.taken_by is null and l.block_number between $3 and $4
    union all
    select l.block_number, 'fill', f.owner, leg.token, leg.vault_id
    from chain_log l
    join fill f using (chain_id, block_hash, log_index)
    cross join lateral (values
        (case f.side when 'BUY' then f.token else $2 end, f.vault_in),
        (case f.side when 'BUY' then $2 else f.token end, f.vault_out)) as leg (token, vault_id)
    where l.source_id = $1 and l.taken_by is null and l.block_number between $3 and $4
        and leg.vault_id is not null
) met
order by owner, token, vault_id, block_number
on conflict do nothing
