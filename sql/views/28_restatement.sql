-- One row per row of P&L that reads otherwise than it did, and why. Days that were stated are not rewritten: their sum of effects is in a later statement.
create view reporting.restatement as
select
    w.symbol::text       as symbol,
    w.executed_at        as executed_at,
    ((w.executed_at) at time zone 'America/New_York')::date as et_date,
    date_trunc('week', (w.executed_at) at time zone 'America/New_York')::date as et_week,
    date_trunc('month', (w.executed_at) at time zone 'America/New_York')::date as et_month,
    w.trade_type         as trade_type,
    w.trade_id::text     as trade_id,
    w.known_to           as known_at,
    (w.known_to at time zone 'America/New_York')::date as known_et_date,
    w.ended_by           as how,
    n.cause              as cause,
    w.realized_pnl       as old_realized_usd_exact,
    n.realized_pnl       as new_realized_usd_exact,
    coalesce(n.realized_pnl, 0) - coalesce(w.realized_pnl, 0) as effect_usd_exact,
    w.net_position_after as old_net_quantity,
    n.net_position_after as new_net_quantity
from pnl_row w
left join lateral (
    -- What stands now and what stood once are found by an index each.
    select * from pnl_row where known_to is null
        and (symbol, executed_at, trade_type, trade_id) = (w.symbol, w.executed_at, w.trade_type, w.trade_id)
        and known_from = w.known_to and run > w.run
    union all
    select * from pnl_row where known_to is not null
        and (symbol, executed_at, trade_type, trade_id) = (w.symbol, w.executed_at, w.trade_type, w.trade_id)
        and known_from = w.known_to and run > w.run
) n on true
where w.known_to is not null
    and (n.run is null or (n.side, n.quantity, n.cash, n.cumulative_pnl, n.net_position_after, n.fee, n.cumulative_fees, n.realized_pnl)
        is distinct from (w.side, w.quantity, w.cash, w.cumulative_pnl, w.net_position_after, w.fee, w.cumulative_fees, w.realized_pnl));

comment on view reporting.restatement is
    'One row per row of P&L that reads otherwise than it did, and why. Days that were stated are not rewritten: their sum of effects is in a later statement.';
comment on column reporting.restatement.symbol is 'Ticker of the share.';
comment on column reporting.restatement.executed_at is 'When the trade happened, UTC.';
comment on column reporting.restatement.et_date is 'Date of executed_at in New York.';
comment on column reporting.restatement.et_week is 'Monday of that week.';
comment on column reporting.restatement.et_month is 'First day of that month.';
comment on column reporting.restatement.trade_type is 'ONCHAIN: a fill; OFFCHAIN: an execution at a broker.';
comment on column reporting.restatement.trade_id is 'Of a fill chain:block:log:role, of an execution its number in reporting.execution.';
comment on column reporting.restatement.known_at is 'When it became known, UTC.';
comment on column reporting.restatement.known_et_date is 'That day in New York: the one whose statement shows it.';
comment on column reporting.restatement.how is 'restated: it reads otherwise now; withdrawn: the trade never happened.';
comment on column reporting.restatement.cause is 'The first changed trade of the share in that run. NULL where it was withdrawn.';
comment on column reporting.restatement.old_realized_usd_exact is 'What the trade was known to have earned. NULL: it closed nothing.';
comment on column reporting.restatement.new_realized_usd_exact is 'What it is known to have earned since. NULL: it closes nothing, or never happened.';
comment on column reporting.restatement.effect_usd_exact is 'New less old: what the day of the trade earned more.';
comment on column reporting.restatement.old_net_quantity is 'The position after it, as it was known.';
comment on column reporting.restatement.new_net_quantity is 'The position after it since. NULL where it was withdrawn.';
