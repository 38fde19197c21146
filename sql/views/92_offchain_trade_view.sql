-- One row per order as one document, under the name that the earlier system had it.
create view reporting.offchain_trade_view as
select t.id as view_id, to_jsonb(t) as payload, t.symbol, t.direction, t.broker, t.order_id, t.status, t.price_cents, t.executed_at
from reporting.offchain_trades t;

comment on view reporting.offchain_trade_view is 'One row per order as one document and as columns, as the earlier system''s view had it. What is new is in hedge_order.';
comment on column reporting.offchain_trade_view.view_id is 'Number of the order; id of offchain_trades.';
comment on column reporting.offchain_trade_view.payload is 'The whole row of offchain_trades as JSON; numbers are exact.';
comment on column reporting.offchain_trade_view.symbol is 'Ticker of the share.';
comment on column reporting.offchain_trade_view.direction is 'BUY or SELL: what we did at the broker.';
comment on column reporting.offchain_trade_view.broker is 'alpaca, schwab or paper.';
comment on column reporting.offchain_trade_view.order_id is 'The broker''s id. NULL while it has none.';
comment on column reporting.offchain_trade_view.status is 'PENDING, SUBMITTED, FILLED or FAILED: as in offchain_trades.';
comment on column reporting.offchain_trade_view.price_cents is 'Average price in cents, rounded. NULL unless FILLED.';
comment on column reporting.offchain_trade_view.executed_at is 'When it was filled, or failed, UTC. NULL while it lives.';
