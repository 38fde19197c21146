-- One row per trade and what it earned, as one document, under the name that the earlier system had it.
create view reporting.metrics_pnl_view as
select m.trade_type || ':' || m.trade_id as view_id, to_jsonb(m) as payload, m.symbol, m.timestamp, m.trade_type, m.trade_id,
    m.trade_direction, m.quantity, m.price_per_share, m.realized_pnl, m.cumulative_pnl, m.net_position_after
from reporting.metrics_pnl m;

comment on view reporting.metrics_pnl_view is 'One row per trade and what it earned, as one document and as columns. What is new is in trade_pnl.';
comment on column reporting.metrics_pnl_view.view_id is 'trade_type and trade_id.';
comment on column reporting.metrics_pnl_view.payload is 'The whole row of metrics_pnl as JSON; numbers are exact.';
comment on column reporting.metrics_pnl_view.symbol is 'Ticker of the share.';
comment on column reporting.metrics_pnl_view.timestamp is 'When it was traded, UTC.';
comment on column reporting.metrics_pnl_view.trade_type is 'ONCHAIN or OFFCHAIN.';
comment on column reporting.metrics_pnl_view.trade_id is 'Id of the trade; as in metrics_pnl.';
comment on column reporting.metrics_pnl_view.trade_direction is 'BUY or SELL.';
comment on column reporting.metrics_pnl_view.quantity is 'Underlying traded, above zero.';
comment on column reporting.metrics_pnl_view.price_per_share is 'Dollars for each. A price, not a part of anything.';
comment on column reporting.metrics_pnl_view.realized_pnl is 'Dollars that closing earned. NULL where the trade closed nothing.';
comment on column reporting.metrics_pnl_view.cumulative_pnl is 'Dollars that the share earned up to here.';
comment on column reporting.metrics_pnl_view.net_position_after is 'What was held after it, signed: long is positive.';
