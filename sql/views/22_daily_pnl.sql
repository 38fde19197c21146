-- One row per share and New York day on which something happened to it, as it is known now. What was stated then is in statement_line.
create view reporting.daily_pnl as
select
    d.et_date                                       as et_date,
    date_trunc('week', d.et_date::timestamp)::date  as et_week,
    date_trunc('month', d.et_date::timestamp)::date as et_month,
    d.symbol::text                                  as symbol,
    d.trades                                        as trades,
    round(d.onchain_netting + d.counter_trade + d.directional, 2)::numeric(20,2) as realized_usd,
    d.onchain_netting + d.counter_trade + d.directional as realized_usd_exact,
    round(d.onchain_netting, 2)::numeric(20,2)      as onchain_netting_usd,
    d.onchain_netting                               as onchain_netting_usd_exact,
    round(d.counter_trade, 2)::numeric(20,2)        as counter_trade_usd,
    d.counter_trade                                 as counter_trade_usd_exact,
    round(d.directional, 2)::numeric(20,2)          as directional_usd,
    d.directional                                   as directional_usd_exact,
    round(d.fees, 2)::numeric(20,2)                 as fees_usd,
    d.fees                                          as fees_usd_exact,
    round(d.onchain_netting + d.counter_trade + d.directional - d.fees, 2)::numeric(20,2) as net_usd,
    d.onchain_netting + d.counter_trade + d.directional - d.fees as net_usd_exact,
    round(d.bought_cash, 2)::numeric(20,2)          as bought_usd,
    d.bought_cash                                   as bought_usd_exact,
    round(d.sold_cash, 2)::numeric(20,2)            as sold_usd,
    d.sold_cash                                     as sold_usd_exact,
    round(d.edge, 2)::numeric(20,2)                 as edge_usd,
    d.edge                                          as edge_usd_exact,
    round(d.drift, 2)::numeric(20,2)                as drift_usd,
    d.drift                                         as drift_usd_exact,
    round(d.slippage, 2)::numeric(20,2)             as slippage_usd,
    d.slippage                                      as slippage_usd_exact,
    d.bought_quantity                               as bought_quantity,
    d.sold_quantity                                 as sold_quantity,
    d.net_after                                     as net_quantity_end,
    d.closing_net                                   as closing_quantity,
    d.closing_book                                  as closing_book_usd_exact,
    d.unattributed                                  as unattributed_matches
from pnl_day d;

comment on view reporting.daily_pnl is
    'One row per share and New York day on which something happened to it, as it is known now. What was stated then is in statement_line.';
comment on column reporting.daily_pnl.et_date is 'Day in New York.';
comment on column reporting.daily_pnl.et_week is 'Monday of that week.';
comment on column reporting.daily_pnl.et_month is 'First day of that month.';
comment on column reporting.daily_pnl.symbol is 'Ticker of the share.';
comment on column reporting.daily_pnl.trades is 'How many trades there were.';
comment on column reporting.daily_pnl.realized_usd is 'What trades earned by closing lots, fees aside. In dollars and cents, for display.';
comment on column reporting.daily_pnl.realized_usd_exact is 'What trades earned by closing lots, fees aside. To the last unit.';
comment on column reporting.daily_pnl.onchain_netting_usd is 'Of that: opened on chain, closed on chain. In dollars and cents, for display.';
comment on column reporting.daily_pnl.onchain_netting_usd_exact is 'Of that: opened on chain, closed on chain. To the last unit.';
comment on column reporting.daily_pnl.counter_trade_usd is 'Of that: opened on chain, closed at a broker within five minutes. In dollars and cents, for display.';
comment on column reporting.daily_pnl.counter_trade_usd_exact is 'Of that: opened on chain, closed at a broker within five minutes. To the last unit.';
comment on column reporting.daily_pnl.directional_usd is 'Of that: opened at a broker, or closed there later. In dollars and cents, for display.';
comment on column reporting.daily_pnl.directional_usd_exact is 'Of that: opened at a broker, or closed there later. To the last unit.';
comment on column reporting.daily_pnl.fees_usd is 'What trades cost besides, as far as it is known by trade. In dollars and cents, for display.';
comment on column reporting.daily_pnl.fees_usd_exact is 'What trades cost besides, as far as it is known by trade. To the last unit.';
comment on column reporting.daily_pnl.net_usd is 'Realized less fees. In dollars and cents, for display.';
comment on column reporting.daily_pnl.net_usd_exact is 'Realized less fees. To the last unit.';
comment on column reporting.daily_pnl.bought_usd is 'Dollars paid for what was bought. In dollars and cents, for display.';
comment on column reporting.daily_pnl.bought_usd_exact is 'Dollars paid for what was bought. To the last unit.';
comment on column reporting.daily_pnl.sold_usd is 'Dollars received for what was sold. In dollars and cents, for display.';
comment on column reporting.daily_pnl.sold_usd_exact is 'Dollars received for what was sold. To the last unit.';
comment on column reporting.daily_pnl.edge_usd is 'Spread capture: fills against the oracle''s price then. In dollars and cents, for display.';
comment on column reporting.daily_pnl.edge_usd_exact is 'Spread capture: fills against the oracle''s price then. To the last unit.';
comment on column reporting.daily_pnl.drift_usd is 'Spread capture: the oracle''s price then against what hedges were sized by. In dollars and cents, for display.';
comment on column reporting.daily_pnl.drift_usd_exact is 'Spread capture: the oracle''s price then against what hedges were sized by. To the last unit.';
comment on column reporting.daily_pnl.slippage_usd is 'Spread capture: what hedges were sized by against what they traded at. In dollars and cents, for display.';
comment on column reporting.daily_pnl.slippage_usd_exact is 'Spread capture: what hedges were sized by against what they traded at. To the last unit.';
comment on column reporting.daily_pnl.bought_quantity is 'How much was bought.';
comment on column reporting.daily_pnl.sold_quantity is 'How much was sold.';
comment on column reporting.daily_pnl.net_quantity_end is 'The position after the last trade of the day. What is long is positive.';
comment on column reporting.daily_pnl.closing_quantity is 'The position at midnight: splits and new names change it without a trade.';
comment on column reporting.daily_pnl.closing_book_usd_exact is 'What the open lots cost at midnight; negative where they are short.';
comment on column reporting.daily_pnl.unattributed_matches is 'Hedged parts of fills that cannot be parted into edge, drift and slippage, for a price is missing.';
