-- One row per trade of ours, on chain or at a broker, in dollars and underlying.
create view reporting.unified_trade_view as
select
    'ONCHAIN'                                               as trade_type,
    f.chain_id || ':' || l.block_number || ':' || f.log_index || ':' || f.role as trade_id,
    s.name                                                  as venue,
    f.symbol,
    f.side                                                  as direction,
    f.quantity,
    round(f.usdc / f.quantity, 18)                          as price_usd_exact,
    round(f.usdc, 2)::numeric(20,2)                         as cash_usd,
    l.written_at                                            as created_at,
    l.block_time                                            as executed_at,
    (l.block_time at time zone 'America/New_York')::date    as et_date,
    date_trunc('week', l.block_time at time zone 'America/New_York')::date as et_week,
    date_trunc('month', l.block_time at time zone 'America/New_York')::date as et_month
from fill f
join chain_log l using (chain_id, block_hash, log_index)
join source s on s.id = l.source_id
where l.taken_by is null and f.quantity > 0
union all
select
    'OFFCHAIN',
    e.id::text,
    v.name,
    e.symbol,
    case when e.quantity > 0 then 'BUY' else 'SELL' end,
    abs(e.quantity),
    e.price,
    round(abs(e.cash), 2)::numeric(20,2),
    e.booked_at,
    e.executed_at,
    (e.executed_at at time zone 'America/New_York')::date,
    date_trunc('week', e.executed_at at time zone 'America/New_York')::date,
    date_trunc('month', e.executed_at at time zone 'America/New_York')::date
from execution e
join venue v on v.id = e.venue_id
where e.quantity <> 0;

comment on view reporting.unified_trade_view is 'One row per trade of ours, on chain or at a broker, in the same units: the query that users of the earlier system wrote by hand.';
comment on column reporting.unified_trade_view.trade_type is 'ONCHAIN or OFFCHAIN.';
comment on column reporting.unified_trade_view.trade_id is 'ONCHAIN: id of onchain_trades; OFFCHAIN: execution_number of execution.';
comment on column reporting.unified_trade_view.venue is 'Where: a source, or a venue.';
comment on column reporting.unified_trade_view.symbol is 'Ticker of the share.';
comment on column reporting.unified_trade_view.direction is 'BUY or SELL: what we did there.';
comment on column reporting.unified_trade_view.quantity is 'Underlying traded, above zero; direction gives the sign.';
comment on column reporting.unified_trade_view.price_usd_exact is 'Dollars per underlying share.';
comment on column reporting.unified_trade_view.cash_usd is 'Dollars that moved, to the cent, never negative, without fees.';
comment on column reporting.unified_trade_view.created_at is 'When it became known here, UTC. NULL: before that was noted.';
comment on column reporting.unified_trade_view.executed_at is 'When it happened, UTC: the block''s time, or the broker''s.';
comment on column reporting.unified_trade_view.et_date is 'Date of executed_at in New York.';
comment on column reporting.unified_trade_view.et_week is 'Monday of the week of et_date.';
comment on column reporting.unified_trade_view.et_month is 'First day of the month of et_date.';
