-- One row per trade, under the names of the earlier system: what it earned, first in, first out.
create view reporting.metrics_pnl as
select
    r.symbol::text       as symbol,
    r.executed_at        as timestamp,
    r.trade_type         as trade_type,
    r.trade_id::text     as trade_id,
    r.side               as trade_direction,
    r.quantity           as quantity,
    r.price              as price_per_share,
    r.realized_pnl       as realized_pnl,
    r.cumulative_pnl     as cumulative_pnl,
    r.net_position_after as net_position_after
from pnl_row r
where r.known_to is null;

comment on view reporting.metrics_pnl is
    'One row per trade, under the names of the earlier system: what it earned, first in, first out.';
comment on column reporting.metrics_pnl.symbol is 'Ticker of the share.';
comment on column reporting.metrics_pnl.timestamp is 'When the trade happened: the block''s time, or the broker''s, UTC.';
comment on column reporting.metrics_pnl.trade_type is 'ONCHAIN: a fill; OFFCHAIN: an execution at a broker.';
comment on column reporting.metrics_pnl.trade_id is 'Of a fill chain:block:log:role, of an execution its number in reporting.execution.';
comment on column reporting.metrics_pnl.trade_direction is 'What we did: BUY or SELL.';
comment on column reporting.metrics_pnl.quantity is 'How much of the share was traded, without sign.';
comment on column reporting.metrics_pnl.price_per_share is 'Dollars for one; cash is what counts, and a price that does not come out even is rounded to 18 decimals.';
comment on column reporting.metrics_pnl.realized_pnl is 'Dollars that the trade earned by closing lots, fees aside. NULL: it closed nothing. Zero: it closed at cost.';
comment on column reporting.metrics_pnl.cumulative_pnl is 'Dollars that all trades of the share earned so far, fees aside.';
comment on column reporting.metrics_pnl.net_position_after is 'The position after it. What is long is positive.';
