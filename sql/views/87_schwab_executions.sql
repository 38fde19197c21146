-- One row per order, under the name and with the columns of the earlier system.
create view reporting.schwab_executions as
select * from reporting.offchain_trades;

comment on view reporting.schwab_executions is 'One row per order at a broker, as the earlier system''s table had it at first; the same as offchain_trades. What is new is in hedge_order and execution.';
comment on column reporting.schwab_executions.id is 'Number of the order.';
comment on column reporting.schwab_executions.symbol is 'Ticker of the share.';
comment on column reporting.schwab_executions.shares is 'How many were asked for; once it is FILLED, how many were. A quantity, not a part of anything.';
comment on column reporting.schwab_executions.direction is 'BUY or SELL: what we did at the broker.';
comment on column reporting.schwab_executions.broker is 'alpaca, schwab or paper.';
comment on column reporting.schwab_executions.order_id is 'The broker''s id. NULL while it has none.';
comment on column reporting.schwab_executions.price_cents is 'Average price in cents, rounded; exact in execution. NULL unless FILLED.';
comment on column reporting.schwab_executions.status is 'PENDING: planned; SUBMITTED: may be at the broker; FILLED: closed with something filled, all or a part; FAILED: closed with nothing.';
comment on column reporting.schwab_executions.executed_at is 'When it was filled, or failed, UTC. NULL while it lives.';
