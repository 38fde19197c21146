-- One row per trade: what it earned, first in, first out, and where the books of its share stand after it.
create view reporting.trade_pnl as
select
    r.symbol::text                            as symbol,
    r.executed_at                             as executed_at,
    ((r.executed_at) at time zone 'America/New_York')::date as et_date,
    date_trunc('week', (r.executed_at) at time zone 'America/New_York')::date as et_week,
    date_trunc('month', (r.executed_at) at time zone 'America/New_York')::date as et_month,
    case
        when s.open_at is null then 'closed'
        when r.executed_at >= s.open_at and r.executed_at < s.close_at then 'regular'
        when r.executed_at < s.open_at and r.executed_at >= s.open_at - interval '5 hours 30 minutes' then 'pre'
        when r.executed_at >= s.close_at and r.executed_at < s.close_at + interval '4 hours' then 'post'
        else 'closed'
    end as session,
    coalesce(v.name, 'onchain')               as venue,
    r.trade_type                              as trade_type,
    r.trade_id::text                          as trade_id,
    r.order_id                                as order_id,
    r.side                                    as side,
    r.quantity::numeric(28,9)                 as quantity,
    r.quantity                                as quantity_exact,
    r.price                                   as price_usd_exact,
    round(r.cash, 2)::numeric(20,2)           as cash_usd,
    r.cash                                    as cash_usd_exact,
    round(r.realized_pnl, 2)::numeric(20,2)   as realized_usd,
    r.realized_pnl                            as realized_usd_exact,
    round(r.cumulative_pnl, 2)::numeric(20,2) as cumulative_usd,
    r.cumulative_pnl                          as cumulative_usd_exact,
    r.net_position_after                      as net_quantity_after,
    r.book_value_after                        as book_value_usd_exact,
    r.fee                                     as fee_usd_exact,
    r.cumulative_fees                         as cumulative_fees_usd_exact,
    r.known_from                              as known_from
from pnl_row r
left join market_session s on s.date = (r.executed_at at time zone 'America/New_York')::date
left join execution e on e.id = case r.trade_type when 'OFFCHAIN' then r.trade_id::bigint end
left join venue v on v.id = e.venue_id
where r.known_to is null;

comment on view reporting.trade_pnl is
    'One row per trade: what it earned, first in, first out, and where the books of its share stand after it.';
comment on column reporting.trade_pnl.symbol is 'Ticker of the share.';
comment on column reporting.trade_pnl.executed_at is 'When the trade happened: the block''s time, or the broker''s, UTC.';
comment on column reporting.trade_pnl.et_date is 'Date of executed_at in New York.';
comment on column reporting.trade_pnl.et_week is 'Monday of that week.';
comment on column reporting.trade_pnl.et_month is 'First day of that month.';
comment on column reporting.trade_pnl.session is 'In which session of the exchange it fell: pre, regular, post or closed. Days that no calendar was read for are closed.';
comment on column reporting.trade_pnl.venue is 'Where: onchain, or the name of the broker''s venue in hedge.toml.';
comment on column reporting.trade_pnl.trade_type is 'ONCHAIN: a fill; OFFCHAIN: an execution at a broker.';
comment on column reporting.trade_pnl.trade_id is 'Of a fill chain:block:log:role, of an execution its number in reporting.execution.';
comment on column reporting.trade_pnl.order_id is 'Number of our order that the execution is of. NULL for a fill.';
comment on column reporting.trade_pnl.side is 'What we did: BUY or SELL.';
comment on column reporting.trade_pnl.quantity is 'How much of the share was traded, without sign, for display.';
comment on column reporting.trade_pnl.quantity_exact is 'The same to the last unit.';
comment on column reporting.trade_pnl.price_usd_exact is 'Dollars for one, rounded to 18 decimals.';
comment on column reporting.trade_pnl.cash_usd is 'Dollars that moved, without sign, fees aside. In dollars and cents, for display.';
comment on column reporting.trade_pnl.cash_usd_exact is 'Dollars that moved, without sign, fees aside. To the last unit.';
comment on column reporting.trade_pnl.realized_usd is 'What it earned by closing lots, fees aside. NULL: it closed nothing. Zero: it closed at cost. In dollars and cents, for display.';
comment on column reporting.trade_pnl.realized_usd_exact is 'What it earned by closing lots, fees aside. NULL: it closed nothing. Zero: it closed at cost. To the last unit.';
comment on column reporting.trade_pnl.cumulative_usd is 'What all trades of the share earned so far, fees aside. In dollars and cents, for display.';
comment on column reporting.trade_pnl.cumulative_usd_exact is 'What all trades of the share earned so far, fees aside. To the last unit.';
comment on column reporting.trade_pnl.net_quantity_after is 'The position after it. What is long is positive.';
comment on column reporting.trade_pnl.book_value_usd_exact is 'What the open lots cost after it; negative where they are short.';
comment on column reporting.trade_pnl.fee_usd_exact is 'What it cost besides; a rebate is negative. Zero as long as no cost of it is known.';
comment on column reporting.trade_pnl.cumulative_fees_usd_exact is 'What all trades of the share cost besides so far.';
comment on column reporting.trade_pnl.known_from is 'Since when this is what is known, UTC: a restated row has the time of its restatement.';
