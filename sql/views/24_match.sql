-- One row per part of a lot that a trade closed: which trade met which, and what that earned.
create view reporting.match as
select
    m.symbol::text                          as symbol,
    m.closed_at                             as executed_at,
    ((m.closed_at) at time zone 'America/New_York')::date as et_date,
    date_trunc('week', (m.closed_at) at time zone 'America/New_York')::date as et_week,
    date_trunc('month', (m.closed_at) at time zone 'America/New_York')::date as et_month,
    m.opened_at                             as opened_at,
    floor(extract(epoch from m.closed_at - m.opened_at))::bigint as elapsed_seconds,
    m.opening_type                          as opening_type,
    m.opening_id::text                      as opening_id,
    m.closing_type                          as closing_type,
    m.closing_id::text                      as closing_id,
    m.bucket                                as bucket,
    m.quantity::numeric(28,9)               as quantity,
    m.quantity                              as quantity_exact,
    round(m.opening_cash, 2)::numeric(20,2) as opening_usd,
    m.opening_cash                          as opening_usd_exact,
    round(m.closing_cash, 2)::numeric(20,2) as closing_usd,
    m.closing_cash                          as closing_usd_exact,
    round(m.pnl, 2)::numeric(20,2)          as pnl_usd,
    m.pnl                                   as pnl_usd_exact
from pnl_match m;

comment on view reporting.match is
    'One row per part of a lot that a trade closed: which trade met which, and what that earned.';
comment on column reporting.match.symbol is 'Ticker of the share when it was closed.';
comment on column reporting.match.executed_at is 'When it was closed, UTC.';
comment on column reporting.match.et_date is 'Date of closed_at in New York.';
comment on column reporting.match.et_week is 'Monday of that week.';
comment on column reporting.match.et_month is 'First day of that month.';
comment on column reporting.match.opened_at is 'When it was opened, UTC.';
comment on column reporting.match.elapsed_seconds is 'Whole seconds from opening to closing.';
comment on column reporting.match.opening_type is 'ONCHAIN: a fill; OFFCHAIN: an execution at a broker.';
comment on column reporting.match.opening_id is 'Of a fill chain:block:log:role, of an execution its number in reporting.execution.';
comment on column reporting.match.closing_type is 'ONCHAIN: a fill; OFFCHAIN: an execution at a broker.';
comment on column reporting.match.closing_id is 'Of a fill chain:block:log:role, of an execution its number in reporting.execution.';
comment on column reporting.match.bucket is 'onchain_netting; counter_trade: closed at a broker within five minutes; directional: the rest.';
comment on column reporting.match.quantity is 'How much was closed, for display.';
comment on column reporting.match.quantity_exact is 'The same to the last unit.';
comment on column reporting.match.opening_usd is 'Dollars of the opening trade that fall to it. In dollars and cents, for display.';
comment on column reporting.match.opening_usd_exact is 'Dollars of the opening trade that fall to it. To the last unit.';
comment on column reporting.match.closing_usd is 'Dollars of the closing trade that fall to it. In dollars and cents, for display.';
comment on column reporting.match.closing_usd_exact is 'Dollars of the closing trade that fall to it. To the last unit.';
comment on column reporting.match.pnl_usd is 'What it earned: sold less bought. In dollars and cents, for display.';
comment on column reporting.match.pnl_usd_exact is 'What it earned: sold less bought. To the last unit.';
