-- One row per instrument of an account at a broker: what our books say it had at a moment. An opening stands
-- in the place of all before it.
with opened as (
    select max(as_of) as at from account_entry
    where kind = 'opening' and account = $2 and leg in ('broker', 'cash') and as_of <= $3
),
known as (
    select e.refs from account_entry e, opened o
    where e.kind = 'opening' and e.account = $2 and e.as_of = o.at and cardinality(e.refs) > 0 limit 1
),
part (leg, instrument, amount, fills) as (
    select e.leg, e.instrument, e.amount, 0::bigint
    from account_entry e, opened o
    where e.account = $2 and e.leg in ('broker', 'cash') and e.as_of <= $3
        and case e.kind when 'opening' then e.as_of = o.at else o.at is null or e.as_of > o.at end
    union all
    select 'broker', symbol, sum(quantity), 0 from execution, opened o
    where venue_id = $1 and order_id is not null and executed_at <= $3 and (o.at is null or executed_at > o.at)
    group by symbol
    union all
    select 'cash', 'USD', sum(cash), count(*) from execution, opened o
    where venue_id = $1 and order_id is not null and executed_at <= $3 and (o.at is null or executed_at > o.at)
    having count(*) > 0
    union all
    -- A broker dates a fee, it does not time it: what the opening knew of is in the opening.
    select 'cash', 'USD', sum(amount), 0 from cash_flow, opened o
    where venue_id = $1
        and (o.at is null or (occurred_at at time zone 'America/New_York')::date >= (o.at at time zone 'America/New_York')::date)
        and not ('activity/' || flow_id = any (coalesce((select refs from known), '{}')))
    having count(*) > 0
)
select leg, instrument, sum(amount)::numeric(38,18) as amount, sum(fills)::bigint as fills,
    (select at from opened) as opened_at
from part group by leg, instrument order by leg, instrument
