-- One row per order: what a broker was asked to do, and how far it got.
create view reporting.hedge_order as
select
    o.id                                                    as order_id,
    v.name                                                  as venue,
    v.broker,
    v.environment,
    o.purpose,
    o.symbol,
    o.side,
    o.quantity,
    o.terms,
    o.limit_price,
    o.state,
    o.why,
    o.refusal,
    o.filled,
    x.average_price,
    round(x.cash_usd_exact, 2)::numeric(20,2)               as cash_usd,
    x.cash_usd_exact,
    o.exposure                                              as exposure_before,
    o.reference_price,
    o.reference_source,
    o.reference_at,
    o.client_order_id,
    o.broker_order_id,
    o.reason,
    o.author,
    o.planned_at,
    o.sent_at,
    o.accepted_at,
    o.cancel_asked_at,
    o.closed_at,
    (o.planned_at at time zone 'America/New_York')::date    as et_date,
    date_trunc('week', o.planned_at at time zone 'America/New_York')::date as et_week,
    date_trunc('month', o.planned_at at time zone 'America/New_York')::date as et_month
from hedge_order o
join venue v on v.id = o.venue_id
left join lateral (
    select round(abs(sum(cash)) / nullif(abs(sum(quantity)), 0), 18) as average_price, sum(cash) as cash_usd_exact
    from execution e where e.order_id = o.id
) x on true;

comment on view reporting.hedge_order is
    'One row per order: what a broker was asked to do, and how far it got. Each move of it is in order_event.';
comment on column reporting.hedge_order.order_id is 'Number of the order in these books.';
comment on column reporting.hedge_order.venue is 'Name of the venue in hedge.toml.';
comment on column reporting.hedge_order.broker is 'Which broker that is: alpaca, schwab or paper.';
comment on column reporting.hedge_order.environment is 'Whether money is real there: paper or live.';
comment on column reporting.hedge_order.purpose is 'What it is for: hedge, or manual where a person asked for it.';
comment on column reporting.hedge_order.symbol is 'Ticker of the share.';
comment on column reporting.hedge_order.side is 'BUY or SELL, at the broker.';
comment on column reporting.hedge_order.quantity is 'Shares asked for, above zero.';
comment on column reporting.hedge_order.terms is 'market, or extended limit: a limit outside the regular session too.';
comment on column reporting.hedge_order.limit_price is 'Dollars per share of a limit. NULL for a market order.';
comment on column reporting.hedge_order.state is
    'planned: nothing left; sent: may or may not exist; working: the broker has it; ambiguous: a person looks; closed.';
comment on column reporting.hedge_order.why is
    'Why it is closed: filled, canceled, expired, refused, never placed or resolved. NULL while it is live.';
comment on column reporting.hedge_order.refusal is 'What a refusal means for the next order. NULL unless it was refused.';
comment on column reporting.hedge_order.filled is 'Shares filled and booked, never negative. Busts and corrections are in execution.';
comment on column reporting.hedge_order.average_price is 'Dollars per share of its executions, 18 decimals. NULL while there are none.';
comment on column reporting.hedge_order.cash_usd is 'The same as cash_usd_exact, to the cent. NULL before its first execution.';
comment on column reporting.hedge_order.cash_usd_exact is 'Dollars of its executions, without fees: what was paid is negative. NULL while there are none.';
comment on column reporting.hedge_order.exposure_before is 'Exposure that it was planned for, in shares: long is positive. NULL for a manual order.';
comment on column reporting.hedge_order.reference_price is 'Dollars per share that it was sized by. NULL where there was none.';
comment on column reporting.hedge_order.reference_source is 'Where that price comes from: quote, fill or execution. NULL where there was none.';
comment on column reporting.hedge_order.reference_at is 'When that price was true, UTC. NULL where there was none.';
comment on column reporting.hedge_order.client_order_id is 'Our own id at the broker, used once.';
comment on column reporting.hedge_order.broker_order_id is 'The broker''s id, the last one where it had several. NULL until the broker is known to have it.';
comment on column reporting.hedge_order.reason is 'Why a person asked for it. NULL for a hedge.';
comment on column reporting.hedge_order.author is 'Who asked for it. NULL for a hedge.';
comment on column reporting.hedge_order.planned_at is 'When it was written down, UTC.';
comment on column reporting.hedge_order.sent_at is 'When it left, UTC. NULL while it is only planned.';
comment on column reporting.hedge_order.accepted_at is 'When the broker was first known to have it, UTC. NULL until then.';
comment on column reporting.hedge_order.cancel_asked_at is 'When its cancel was asked for, UTC. NULL if it never was.';
comment on column reporting.hedge_order.closed_at is 'When it was closed, UTC. NULL while it is live.';
comment on column reporting.hedge_order.et_date is 'Date of planned_at in New York.';
comment on column reporting.hedge_order.et_week is 'Monday of the week of et_date.';
comment on column reporting.hedge_order.et_month is 'First day of the month of et_date.';
