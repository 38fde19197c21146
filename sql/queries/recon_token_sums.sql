-- One row per share token of a source, up to a block: what its vaults hold by the books, and what trades and moves come to.
with log as (
    select chain_id, block_hash, log_index from chain_log
    where source_id = $1 and block_number <= $2 and taken_by is null
),
part (token, held, traded, moved) as (
    select f.token,
        case f.side when 'BUY' then case when f.vault_in is null then 0 else 1 end
                    else case when f.vault_out is null then 0 else -1 end end * f.token_quantity_exact,
        case f.side when 'BUY' then 1 else -1 end * f.token_quantity_exact, 0::numeric
    from log join fill f using (chain_id, block_hash, log_index)
    union all
    select m.token, m.amount_exact, 0, m.amount_exact
    from log join vault_move m using (chain_id, block_hash, log_index)
)
select token, trunc(sum(held), 18)::numeric(38,18) as held,
    trunc(sum(traded), 18)::numeric(38,18) as traded, trunc(sum(moved), 18)::numeric(38,18) as moved
from part group by token order by token
