-- One row per vault that is reported, or that the books know up to a block: how much is there, and how much
-- more than fills, deposits, withdrawals and trades that are no fills have left; exact before it is cut to the
-- token's base units. And one per token, without an owner: what vaults hold of it by the books, and what it came by.
-- Nearly every fill of a chain counts: all are summed, and those that do not are taken off, so that
-- history is not joined to its logs.
with excluded as (
    select l.chain_id, l.block_hash, l.log_index
    from chain_log l
    where l.chain_id = (select chain_id from source where id = $1)
        and (l.source_id <> $1 or l.block_number > $2 or l.taken_by is not null)
),
traded as materialized (
    select owner, token, side, vault_in, vault_out, sum(tokens) as tokens, sum(usdc) as usdc
    from (
        select owner, token, side, vault_in, vault_out, token_quantity_exact as tokens, usdc_exact as usdc
        from fill where chain_id = (select chain_id from source where id = $1)
        union all
        select f.owner, f.token, f.side, f.vault_in, f.vault_out, -f.token_quantity_exact, -f.usdc_exact
        from excluded join fill f using (chain_id, block_hash, log_index)
    ) counted
    group by owner, token, side, vault_in, vault_out
),
booked as materialized (
    select part.owner, part.token, part.vault_id, sum(part.traded) as traded, sum(part.moved) as moved,
        sum(part.skipped) as skipped
    from (
        select t.owner, leg.token, leg.vault_id, leg.amount as traded, 0::numeric as moved, 0::numeric as skipped
        from traded t
        cross join lateral (values
            (t.token, case t.side when 'BUY' then t.vault_in else t.vault_out end,
                case t.side when 'BUY' then t.tokens else -t.tokens end),
            ($3::bytea, case t.side when 'BUY' then t.vault_out else t.vault_in end,
                case t.side when 'BUY' then -t.usdc else t.usdc end)
        ) as leg (token, vault_id, amount)
        union all
        select owner, token, vault_id, 0, amount_exact, 0
        from vault_move where chain_id = (select chain_id from source where id = $1)
        union all
        select m.owner, m.token, m.vault_id, 0, -m.amount_exact, 0
        from excluded join vault_move m using (chain_id, block_hash, log_index)
        union all
        select m.owner, m.token, m.vault_id, 0, 0, m.amount_exact
        from skipped_move m join chain_log l using (chain_id, block_hash, log_index)
        where l.source_id = $1 and l.block_number <= $2 and l.taken_by is null
            and not exists (
                select from fill f
                where (f.chain_id, f.block_hash, f.log_index, f.role) = (m.chain_id, m.block_hash, m.log_index, m.role))
    ) part
    group by part.owner, part.token, part.vault_id
),
told as (
    select owner, token, vault_id, amount::numeric as amount, decimals
    from unnest($4::bytea[], $5::bytea[], $6::bytea[], $7::text[], $8::int[]) as t (owner, token, vault_id, amount, decimals)
),
vault as (
    select owner, token, vault_id, traded + moved + skipped as amount from booked where vault_id is not null
)
select owner, token, vault_id,
    trunc(coalesce(t.amount, 0), 18)::numeric(38,18) as reported,
    trunc(coalesce(t.amount, 0) - coalesce(b.amount, 0), least(coalesce(t.decimals, 18), 18))::numeric(38,18) as residual,
    0::numeric(38,18) as held, 0::numeric(38,18) as traded, 0::numeric(38,18) as moved, 0::numeric(38,18) as skipped
from told t full join vault b using (owner, token, vault_id)
where t.owner is not null or b.amount <> 0
union all
select null, token, null, 0, 0,
    trunc(coalesce(sum(traded + moved + skipped) filter (where vault_id is not null), 0), 18)::numeric(38,18),
    trunc(sum(traded), 18)::numeric(38,18), trunc(sum(moved), 18)::numeric(38,18), trunc(sum(skipped), 18)::numeric(38,18)
from booked group by token
order by owner, token, vault_id
