-- One row per thing that a statement of a date rests on: whether any of it was ever read, and how much is missing.
select kind as of, exists (select from cash_flow c where c.kind = k.kind) as has_some, 0::bigint as missing
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
