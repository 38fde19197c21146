-- One row per thing that a statement of a date rests on: whether any of it was ever read, and how much is missing.
select k.kind as of,
    exists (select from cash_flow c where c.kind = k.kind) or (k.kind = 'gas' and exists (select from gas)) as has_some,
    case k.kind
        -- What is paid and not valued, and that date's transactions of which it is not known who paid.
        when 'gas' then
            (select count(*) from reporting.cost u where u.kind = 'gas' and u.amount_usd_exact is null and u.et_date <= $1::text::date)
            + (select count(distinct (l.chain_id, l.tx_hash)) from chain_log l
               where l.chain_id in (select chain_id from gas_payer) and l.taken_by is null
                   and l.block_time >= $1::text::date::timestamp at time zone 'America/New_York'
                   and l.block_time < ($1::text::date + 1)::timestamp at time zone 'America/New_York'
                   and not exists (
                       select from gas g
                       where (g.tx_hash, g.block_hash, g.chain_id) = (l.tx_hash, l.block_hash, l.chain_id)))
        else 0
    end as missing
from unnest(array['commission', 'regulatory', 'gas', 'tokenization', 'bridge', 'interest', 'other cost',
                  'dividend', 'nav accrual', 'rebate', 'interest earned']) k (kind)
union all
select 'oracle or reference prices', exists (select from oracle_price where price is not null),
    (select coalesce(sum(unattributed), 0)::bigint from pnl_day where et_date = $1::text::date)
union all
select 'trades that we ordered', true,
    (select count(*) from execution
     where order_id is null and nature = 'trade'
         and executed_at >= $1::text::date::timestamp at time zone 'America/New_York'
         and executed_at < ($1::text::date + 1)::timestamp at time zone 'America/New_York')
