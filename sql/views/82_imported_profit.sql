-- One row per line of the earlier system's own P&L that was taken over.
create view reporting.imported_profit as
select
    p.trade_type,
    p.trade_id,
    p.symbol,
    p.side,
    p.quantity,
    p.price,
    p.realized                                              as realized_usd_exact,
    p.cumulative                                            as cumulative_usd_exact,
    p.net_after,
    p.executed_at,
    (p.executed_at at time zone 'America/New_York')::date   as et_date,
    date_trunc('week', p.executed_at at time zone 'America/New_York')::date as et_week,
    date_trunc('month', p.executed_at at time zone 'America/New_York')::date as et_month
from imported_profit p;

comment on view reporting.imported_profit is
    'One row per line of the earlier system''s own P&L, as it counted. It counts in no P&L of these books.';
comment on column reporting.imported_profit.trade_type is 'ONCHAIN: trade_id is one of imported_trade; OFFCHAIN: one of imported_execution.';
comment on column reporting.imported_profit.trade_id is 'The trade''s id in the earlier system.';
comment on column reporting.imported_profit.symbol is 'Ticker that the share has in these books.';
comment on column reporting.imported_profit.side is 'What was done: BUY or SELL.';
comment on column reporting.imported_profit.quantity is 'Units of the share, without a sign; side gives the direction.';
comment on column reporting.imported_profit.price is 'Dollars per unit.';
comment on column reporting.imported_profit.realized_usd_exact is 'Dollars that it realized. NULL: nothing was closed.';
comment on column reporting.imported_profit.cumulative_usd_exact is 'Dollars realized in the symbol up to and with it.';
comment on column reporting.imported_profit.net_after is 'Units held in the symbol afterwards, signed: long is positive.';
comment on column reporting.imported_profit.executed_at is 'When it was traded, UTC.';
comment on column reporting.imported_profit.et_date is 'Date of executed_at in New York.';
comment on column reporting.imported_profit.et_week is 'Monday of the week of et_date.';
comment on column reporting.imported_profit.et_month is 'First day of the month of et_date.';
