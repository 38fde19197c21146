-- One row per share, under the name and with the columns of the earlier system.
create view reporting.trade_accumulators as
select
    p.symbol,
    greatest(p.position, 0)                                 as accumulated_long,
    greatest(-p.position, 0)                                as accumulated_short,
    p.position                                              as net_position,
    o.id                                                    as pending_execution_id,
    greatest(p.last_fill_at, x.executed_at)                 as last_updated
from reporting.position_now p
left join hedge_order o on o.symbol = p.symbol and o.state <> 'closed' and o.purpose = 'hedge'
left join lateral (
    select e.executed_at from execution e where e.symbol = p.symbol order by e.executed_at desc limit 1
) x on true;

comment on view reporting.trade_accumulators is 'One row per share: what is not hedged, as the earlier system''s table had it. What is new is in position_now.';
comment on column reporting.trade_accumulators.symbol is 'Ticker of the share.';
comment on column reporting.trade_accumulators.accumulated_long is 'What is held and not hedged, never negative. A quantity, not a coordinate.';
comment on column reporting.trade_accumulators.accumulated_short is 'What is owed and not hedged, never negative.';
comment on column reporting.trade_accumulators.net_position is 'accumulated_long less accumulated_short.';
comment on column reporting.trade_accumulators.pending_execution_id is 'Number of the order that is on its way; id of offchain_trades. NULL where there is none.';
comment on column reporting.trade_accumulators.last_updated is 'Time of the last fill or execution, UTC. NULL where there is none.';
