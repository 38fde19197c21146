-- One row per share: its position as one document, under the name that the earlier system had it.
create view reporting.position_view as
select
    a.symbol                                                as view_id,
    jsonb_build_object(
        'symbol', a.symbol,
        'net', a.net_position,
        'accumulated_long', a.accumulated_long,
        'accumulated_short', a.accumulated_short,
        'pending_execution_id', a.pending_execution_id,
        'last_updated', a.last_updated)                     as payload,
    a.symbol,
    a.net_position,
    a.accumulated_long,
    a.accumulated_short,
    a.pending_execution_id,
    a.last_updated
from reporting.trade_accumulators a;

comment on view reporting.position_view is 'One row per share: its position as one document and as columns, as the earlier system''s view had it. What is new is in position_now.';
comment on column reporting.position_view.view_id is 'The same as symbol.';
comment on column reporting.position_view.payload is 'All of it as JSON; numbers are exact.';
comment on column reporting.position_view.symbol is 'Ticker of the share.';
comment on column reporting.position_view.net_position is 'What is held and not hedged, signed: long is positive.';
comment on column reporting.position_view.accumulated_long is 'What is held and not hedged, never negative. A quantity, not a coordinate.';
comment on column reporting.position_view.accumulated_short is 'What is owed and not hedged, never negative.';
comment on column reporting.position_view.pending_execution_id is 'Number of the order that is on its way. NULL where there is none.';
comment on column reporting.position_view.last_updated is 'Time of the last fill or execution, UTC. NULL where there is none.';
