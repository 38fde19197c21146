-- One row per order at a broker that was taken over from the earlier system.
create view reporting.imported_execution as
select
    e.execution_id,
    e.broker,
    e.order_id,
    e.symbol,
    e.side,
    e.quantity,
    e.price,
    e.status,
    e.executed_at,
    (e.executed_at at time zone 'America/New_York')::date   as et_date,
    date_trunc('week', e.executed_at at time zone 'America/New_York')::date as et_week,
    date_trunc('month', e.executed_at at time zone 'America/New_York')::date as et_month,
    i.file,
    i.imported_at
from imported_execution e
join import i on i.id = e.import_id;

comment on view reporting.imported_execution is
    'One row per ended order at a broker taken over from the earlier system. It counts in no position and no P&L of these books.';
comment on column reporting.imported_execution.execution_id is 'Its id in the earlier system.';
comment on column reporting.imported_execution.broker is 'The broker, as the earlier system called it. NULL: it did not say.';
comment on column reporting.imported_execution.order_id is 'The broker''s id of it. NULL: the earlier system had none.';
comment on column reporting.imported_execution.symbol is 'Ticker that the share has in these books.';
comment on column reporting.imported_execution.side is 'What was done at the broker: BUY or SELL.';
comment on column reporting.imported_execution.quantity is 'Shares, without a sign; side gives the direction.';
comment on column reporting.imported_execution.price is 'Dollars per share. NULL where nothing was filled.';
comment on column reporting.imported_execution.status is 'FILLED or FAILED, in the earlier system''s words.';
comment on column reporting.imported_execution.executed_at is 'When it ended, UTC. NULL: the earlier system did not say.';
comment on column reporting.imported_execution.et_date is 'Date of executed_at in New York. NULL as that is.';
comment on column reporting.imported_execution.et_week is 'Monday of the week of et_date.';
comment on column reporting.imported_execution.et_month is 'First day of the month of et_date.';
comment on column reporting.imported_execution.file is 'The file that it was taken from.';
comment on column reporting.imported_execution.imported_at is 'When that was, UTC.';
