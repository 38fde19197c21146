-- One row per onchain trade that was taken over from the earlier system.
create view reporting.imported_trade as
select
    t.trade_id,
    '0x' || encode(t.tx_hash, 'hex')                        as tx_hash,
    t.log_index,
    t.token_symbol,
    t.symbol,
    t.side,
    t.quantity,
    t.price,
    t.executed_at,
    (t.executed_at at time zone 'America/New_York')::date   as et_date,
    date_trunc('week', t.executed_at at time zone 'America/New_York')::date as et_week,
    date_trunc('month', t.executed_at at time zone 'America/New_York')::date as et_month,
    i.file,
    i.imported_at
from imported_trade t
join import i on i.id = t.import_id;

comment on view reporting.imported_trade is
    'One row per onchain trade taken over from the earlier system. It counts in no position and no P&L of these books.';
comment on column reporting.imported_trade.trade_id is 'Its id in the earlier system.';
comment on column reporting.imported_trade.tx_hash is 'Hash of its transaction; 0x and 64 lower-case hex digits.';
comment on column reporting.imported_trade.log_index is 'Place of its log in the block, counted from 0.';
comment on column reporting.imported_trade.token_symbol is 'Symbol of the token, as the earlier system had it, such as tAAPL.';
comment on column reporting.imported_trade.symbol is 'Ticker that the share has in these books.';
comment on column reporting.imported_trade.side is 'What the owner did with the token: BUY or SELL.';
comment on column reporting.imported_trade.quantity is 'Shares, without a sign; side gives the direction. The shortest decimal of what was a binary fraction.';
comment on column reporting.imported_trade.price is 'Dollars per share.';
comment on column reporting.imported_trade.executed_at is 'Time of its block, UTC. NULL: the earlier system did not keep it.';
comment on column reporting.imported_trade.et_date is 'Date of executed_at in New York. NULL as that is.';
comment on column reporting.imported_trade.et_week is 'Monday of the week of et_date.';
comment on column reporting.imported_trade.et_month is 'First day of the month of et_date.';
comment on column reporting.imported_trade.file is 'The file that it was taken from.';
comment on column reporting.imported_trade.imported_at is 'When that was, UTC.';
