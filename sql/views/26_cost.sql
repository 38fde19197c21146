-- One row per cost or income that is no trade: it stands beside P&L, and is never in it.
create view reporting.cost as
select
    c.kind                            as kind,
    c.kind in ('dividend', 'nav accrual', 'rebate', 'interest earned') as is_income,
    c.occurred_at                     as executed_at,
    ((c.occurred_at) at time zone 'America/New_York')::date as et_date,
    date_trunc('week', (c.occurred_at) at time zone 'America/New_York')::date as et_week,
    date_trunc('month', (c.occurred_at) at time zone 'America/New_York')::date as et_month,
    -- Looked up row by row: where it is filtered by, those rows are few beside all executions.
    coalesce(c.symbol, (select e.symbol from execution e where (e.venue_id, e.execution_id) = (c.venue_id, c.execution_id))) as symbol,
    v.name                            as venue,
    round(c.amount, 2)::numeric(20,2) as amount_usd,
    c.amount                          as amount_usd_exact,
    '0x' || encode(c.tx_hash, 'hex')  as tx_hash,
    (select e.id from execution e where (e.venue_id, e.execution_id) = (c.venue_id, c.execution_id)) as execution_number,
    c.valuation                       as valuation,
    c.flow_id                         as flow_id
from cash_flow c
left join venue v on v.id = c.venue_id
where c.kind not in ('deposit', 'withdrawal');

comment on view reporting.cost is
    'One row per cost or income that is no trade: it stands beside P&L, and is never in it.';
comment on column reporting.cost.kind is 'What it is: a kind of cost (commission, regulatory, gas, tokenization, bridge, interest, other cost) or of income.';
comment on column reporting.cost.is_income is 'Whether it counts as income.';
comment on column reporting.cost.executed_at is 'When it happened, UTC.';
comment on column reporting.cost.et_date is 'Date of occurred_at in New York.';
comment on column reporting.cost.et_week is 'Monday of that week.';
comment on column reporting.cost.et_month is 'First day of that month.';
comment on column reporting.cost.symbol is 'Ticker of the share. NULL where it is of no one share, or of a transaction.';
comment on column reporting.cost.venue is 'Name of the broker''s venue in hedge.toml. NULL where it was not at a broker.';
comment on column reporting.cost.amount_usd is 'Dollars: what was paid is negative. In dollars and cents, for display.';
comment on column reporting.cost.amount_usd_exact is 'Dollars: what was paid is negative. To the last unit.';
comment on column reporting.cost.tx_hash is 'The transaction that it is for. NULL where it is for none.';
comment on column reporting.cost.execution_number is 'The execution that it is for. NULL where it is for none.';
comment on column reporting.cost.valuation is 'How it was made dollars. NULL: it was dollars.';
comment on column reporting.cost.flow_id is 'The source''s own name of it.';
