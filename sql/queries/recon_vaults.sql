-- One row per vault that is reported, or that the books know up to a block: how much is there, and how much
-- more than fills, deposits and withdrawals have left. Exact before it is cut to the token's base units.
with log as (
    select chain_id, block_hash, log_index from chain_log
    where source_id = $1 and block_number <= $2 and taken_by is null
),
side as (
    select f.owner, f.vault_in, f.vault_out, f.token, f.side = 'BUY' as bought, f.token_quantity_exact as tokens, f.usdc_exact as usdc
    from log join fill f using (chain_id, block_hash, log_index)
),
moved (owner, token, vault_id, amount) as (
    select owner, case when bought then token else $3::bytea end, vault_in, case when bought then tokens else usdc end
    from side where vault_in is not null
    union all
    select owner, case when bought then $3::bytea else token end, vault_out, case when bought then -usdc else -tokens end
    from side where vault_out is not null
    union all
    select m.owner, m.token, m.vault_id, m.amount_exact from log join vault_move m using (chain_id, block_hash, log_index)
),
booked as (
    select owner, token, vault_id, sum(amount) as amount from moved group by owner, token, vault_id
),
told as (
    select owner, token, vault_id, amount::numeric as amount, decimals
    from unnest($4::bytea[], $5::bytea[], $6::bytea[], $7::text[], $8::int[]) as t (owner, token, vault_id, amount, decimals)
)
select owner, token, vault_id,
    trunc(coalesce(t.amount, 0), 18)::numeric(38,18) as reported,
    trunc(coalesce(t.amount, 0) - coalesce(b.amount, 0), least(coalesce(t.decimals, 18), 18))::numeric(38,18) as residual
from told t full join booked b using (owner, token, vault_id)
where t.owner is not null or b.amount <> 0
order by owner, token, vault_id
