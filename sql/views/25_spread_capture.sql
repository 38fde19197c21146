-- One row per part of a fill that a broker's trade closed: what it earned, and of what that is made.
create view reporting.spread_capture as
select
    m.symbol::text                      as symbol,
    m.closed_at                         as executed_at,
    ((m.closed_at) at time zone 'America/New_York')::date as et_date,
    date_trunc('week', (m.closed_at) at time zone 'America/New_York')::date as et_week,
    date_trunc('month', (m.closed_at) at time zone 'America/New_York')::date as et_month,
    m.opening_id::text                  as fill_id,
    m.closing_id::bigint                as execution_number,
    v.name                              as venue,
    m.bucket                            as bucket,
    m.quantity                          as quantity_exact,
    round(m.pnl, 2)::numeric(20,2)      as pnl_usd,
    m.pnl                               as pnl_usd_exact,
    round(m.edge, 2)::numeric(20,2)     as edge_usd,
    m.edge                              as edge_usd_exact,
    round(m.drift, 2)::numeric(20,2)    as drift_usd,
    m.drift                             as drift_usd_exact,
    round(m.slippage, 2)::numeric(20,2) as slippage_usd,
    m.slippage                          as slippage_usd_exact
from pnl_match m
-- Both are there, as a broker's trade is an execution on record; who does not ask for the venue does not read them.
left join execution e on e.id = case m.closing_type when 'OFFCHAIN' then m.closing_id::bigint end
left join venue v on v.id = e.venue_id
where m.opening_type = 'ONCHAIN' and m.closing_type = 'OFFCHAIN';

comment on view reporting.spread_capture is
    'One row per part of a fill that a broker''s trade closed: what it earned, and of what that is made.';
comment on column reporting.spread_capture.symbol is 'Ticker of the share.';
comment on column reporting.spread_capture.executed_at is 'When the hedge was, UTC.';
comment on column reporting.spread_capture.et_date is 'Date of executed_at in New York.';
comment on column reporting.spread_capture.et_week is 'Monday of that week.';
comment on column reporting.spread_capture.et_month is 'First day of that month.';
comment on column reporting.spread_capture.fill_id is 'The fill: chain:block:log:role.';
comment on column reporting.spread_capture.execution_number is 'The execution that closed it, as in reporting.execution.';
comment on column reporting.spread_capture.venue is 'Name of the broker''s venue in hedge.toml.';
comment on column reporting.spread_capture.bucket is 'counter_trade: closed within five minutes; directional: later.';
comment on column reporting.spread_capture.quantity_exact is 'How much of the share.';
comment on column reporting.spread_capture.pnl_usd is 'What it earned: edge, drift and slippage together. In dollars and cents, for display.';
comment on column reporting.spread_capture.pnl_usd_exact is 'What it earned: edge, drift and slippage together. To the last unit.';
comment on column reporting.spread_capture.edge_usd is 'The fill against the oracle''s price then. NULL: a price is missing. In dollars and cents, for display.';
comment on column reporting.spread_capture.edge_usd_exact is 'The fill against the oracle''s price then. NULL: a price is missing. To the last unit.';
comment on column reporting.spread_capture.drift_usd is 'The oracle''s price then against what the hedge was sized by. NULL: a price is missing. In dollars and cents, for display.';
comment on column reporting.spread_capture.drift_usd_exact is 'The oracle''s price then against what the hedge was sized by. NULL: a price is missing. To the last unit.';
comment on column reporting.spread_capture.slippage_usd is 'What the hedge was sized by against what it traded at. NULL: a price is missing. In dollars and cents, for display.';
comment on column reporting.spread_capture.slippage_usd_exact is 'What the hedge was sized by against what it traded at. NULL: a price is missing. To the last unit.';
