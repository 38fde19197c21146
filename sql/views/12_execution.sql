-- One row per trade at a broker, or what was taken back of one.
create view reporting.execution as
select
    e.id                                                    as execution_number,
    v.name                                                  as venue,
    v.broker,
    v.environment,
    e.execution_id,
    e.order_id,
    e.broker_order_id,
    e.symbol,
    case when e.quantity > 0 then 'BUY' else 'SELL' end     as side,
    e.nature,
    e.quantity,
    e.price,
    round(e.cash, 2)::numeric(20,2)                         as cash_usd,
    e.cash                                                  as cash_usd_exact,
    e.corrects,
    e.executed_at,
    e.booked_at,
    (e.executed_at at time zone 'America/New_York')::date   as et_date,
    date_trunc('week', e.executed_at at time zone 'America/New_York')::date as et_week,
    date_trunc('month', e.executed_at at time zone 'America/New_York')::date as et_month
from execution e
join venue v on v.id = e.venue_id;

comment on view reporting.execution is
    'One row per trade at a broker under the broker''s own id, or what was taken back of one. Append-only.';
comment on column reporting.execution.execution_number is 'Number of the execution in these books, in the order of booking.';
comment on column reporting.execution.venue is 'Name of the venue in hedge.toml.';
comment on column reporting.execution.broker is 'Which broker that is: alpaca, schwab or paper.';
comment on column reporting.execution.environment is 'Whether money is real there: paper or live.';
comment on column reporting.execution.execution_id is 'The broker''s id of it.';
comment on column reporting.execution.order_id is 'Number of our order that it fills. NULL: nobody here ordered it, and it is not part of the position.';
comment on column reporting.execution.broker_order_id is 'The broker''s id of the order. NULL where the broker names none.';
comment on column reporting.execution.symbol is 'Ticker of the share.';
comment on column reporting.execution.side is 'BUY where quantity is positive, else SELL.';
comment on column reporting.execution.nature is 'trade; correction: the difference to a trade; bust: a trade taken back.';
comment on column reporting.execution.quantity is 'Shares, signed: bought is positive.';
comment on column reporting.execution.price is 'Dollars per share.';
comment on column reporting.execution.cash_usd is 'The same as cash_usd_exact, to the cent.';
comment on column reporting.execution.cash_usd_exact is 'Dollars that moved, without fees: what was paid is negative.';
comment on column reporting.execution.corrects is 'The execution that it corrects or takes back. NULL for a trade.';
comment on column reporting.execution.executed_at is 'When it happened, as the broker says, UTC.';
comment on column reporting.execution.booked_at is 'When it was booked here, UTC.';
comment on column reporting.execution.et_date is 'Date of executed_at in New York.';
comment on column reporting.execution.et_week is 'Monday of the week of et_date.';
comment on column reporting.execution.et_month is 'First day of the month of et_date.';
