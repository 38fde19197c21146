-- One row per movement of cash that is no trade.
create view reporting.cash_flow as
select
    x.flow_id,
    x.kind,
    v.name                                                  as venue,
    x.symbol,
    round(x.amount, 2)::numeric(20,2)                       as amount_usd,
    x.amount                                                as amount_usd_exact,
    x.occurred_at,
    '0x' || encode(x.tx_hash, 'hex')                        as tx_hash,
    x.valuation,
    x.said,
    x.booked_at,
    ((x.occurred_at) at time zone 'America/New_York')::date as et_date,
    date_trunc('week', (x.occurred_at) at time zone 'America/New_York')::date as et_week,
    date_trunc('month', (x.occurred_at) at time zone 'America/New_York')::date as et_month
from cash_flow x
left join venue v on v.id = x.venue_id;

comment on view reporting.cash_flow is
    'One row per movement of cash that is no trade: a fee, gas, interest, a dividend, a deposit. Booked once, under the id of its source.';
comment on column reporting.cash_flow.flow_id is 'Under which it is booked once: venue and activity, or chain and transaction. What was taken back is a row of its own.';
comment on column reporting.cash_flow.kind is 'commission, regulatory, gas, tokenization, bridge, interest, other cost, dividend, nav accrual, rebate, interest earned, deposit or withdrawal.';
comment on column reporting.cash_flow.venue is 'Name of the venue. NULL: not at a broker.';
comment on column reporting.cash_flow.symbol is 'Ticker. NULL: of no one ticker.';
comment on column reporting.cash_flow.amount_usd is 'Dollars; what was paid is negative.';
comment on column reporting.cash_flow.occurred_at is 'When it counts, UTC.';
comment on column reporting.cash_flow.tx_hash is 'Transaction that it is for. NULL where it is for none.';
comment on column reporting.cash_flow.valuation is 'How it was made dollars. NULL: it was dollars.';
comment on column reporting.cash_flow.said is 'What the source said of it: evidence.';
comment on column reporting.cash_flow.booked_at is 'When it was booked, UTC.';
comment on column reporting.cash_flow.et_date is 'Date in New York of the time that it is about.';
comment on column reporting.cash_flow.et_week is 'Monday of the week of et_date.';
comment on column reporting.cash_flow.et_month is 'First day of the month of et_date.';
comment on column reporting.cash_flow.amount_usd_exact is 'The same as amount_usd, to the last digit.';
