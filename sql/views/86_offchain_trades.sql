-- One row per order, under the name and with the columns of the earlier system.
create view reporting.offchain_trades as
select
    o.id,
    o.symbol,
    case when o.state = 'closed' and o.filled > 0 then o.filled else o.quantity end as shares,
    o.side                                                  as direction,
    v.broker,
    o.broker_order_id                                       as order_id,
    round(100 * x.average)::bigint                          as price_cents,
    case
        when o.state = 'planned' then 'PENDING'
        when o.state <> 'closed' then 'SUBMITTED'
        when o.filled > 0        then 'FILLED'
        else                          'FAILED'
    end                                                     as status,
    coalesce(x.executed_at, o.closed_at)                    as executed_at
from hedge_order o
join venue v on v.id = o.venue_id
left join lateral (
    select abs(sum(e.cash)) / nullif(abs(sum(e.quantity)), 0) as average, max(e.executed_at) as executed_at
    from execution e where e.order_id = o.id and o.state = 'closed'
) x on true;

comment on view reporting.offchain_trades is 'One row per order at a broker, as the earlier system''s table had it. What is new is in hedge_order and execution.';
comment on column reporting.offchain_trades.id is 'Number of the order.';
comment on column reporting.offchain_trades.symbol is 'Ticker of the share.';
comment on column reporting.offchain_trades.shares is 'How many were asked for; once it is FILLED, how many were. A quantity, not a part of anything.';
comment on column reporting.offchain_trades.direction is 'BUY or SELL: what we did at the broker.';
comment on column reporting.offchain_trades.broker is 'alpaca, schwab or paper.';
comment on column reporting.offchain_trades.order_id is 'The broker''s id. NULL while it has none.';
comment on column reporting.offchain_trades.price_cents is 'Average price in cents, rounded; exact in execution. NULL unless FILLED.';
comment on column reporting.offchain_trades.status is 'PENDING: planned; SUBMITTED: may be at the broker; FILLED: closed with something filled, all or a part; FAILED: closed with nothing.';
comment on column reporting.offchain_trades.executed_at is 'When it was filled, or failed, UTC. NULL while it lives.';
