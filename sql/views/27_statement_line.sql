-- One row per share and line of a day's statement, as it was stated: never changed. Net P&L is realized + unrealized change - costs + income, and ties out.
create view reporting.statement_line as
select
    s.et_date                         as et_date,
    date_trunc('week', s.et_date::timestamp)::date as et_week,
    date_trunc('month', s.et_date::timestamp)::date as et_month,
    nullif(s.symbol, '')::text        as symbol,
    l.line_number                     as line_number,
    l.line                            as line,
    l.quantity                        as quantity_exact,
    round(l.amount, 2)::numeric(20,2) as amount_usd,
    l.amount                          as amount_usd_exact,
    s.known_at                        as known_at
from pnl_statement s
cross join lateral (values
    (1, 'opening position', s.opening_net, s.opening_market),
    (2, 'opening book value', null, s.opening_book),
    (3, 'bought', s.bought_quantity, s.bought_cash),
    (4, 'sold', s.sold_quantity, s.sold_cash),
    (5, 'corporate actions', s.closing_net - s.opening_net - s.bought_quantity + s.sold_quantity, null),
    (6, 'closing position', s.closing_net, s.closing_market),
    (7, 'closing book value', null, s.closing_book),
    (8, 'realized: onchain netting', null, s.onchain_netting),
    (9, 'realized: counter trade', null, s.counter_trade),
    (10, 'realized: directional', null, s.directional),
    (11, 'unrealized change', null, (s.closing_market - s.closing_book) - (s.opening_market - s.opening_book)),
    (12, 'costs', null, s.costs),
    (13, 'income', null, s.income),
    (14, 'net P&L', null, s.net_pnl),
    (15, 'days before restated', null, s.restated),
    (16, 'spread: edge', null, s.edge),
    (17, 'spread: drift', null, s.drift),
    (18, 'spread: slippage', null, s.slippage)
) l (line_number, line, quantity, amount);

comment on view reporting.statement_line is
    'One row per share and line of a day''s statement, as it was stated: never changed. Net P&L is realized + unrealized change - costs + income, and ties out.';
comment on column reporting.statement_line.et_date is 'Day in New York.';
comment on column reporting.statement_line.symbol is 'Ticker of the share. NULL: cash that is of no one share.';
comment on column reporting.statement_line.line_number is 'The place of the line on the statement.';
comment on column reporting.statement_line.line is 'What it is, in words.';
comment on column reporting.statement_line.quantity_exact is 'Shares, where it is of some: what is long is positive.';
comment on column reporting.statement_line.amount_usd is 'Dollars and cents, for display. NULL: a mark is missing.';
comment on column reporting.statement_line.amount_usd_exact is 'Dollars to the last unit. NULL: a mark is missing.';
comment on column reporting.statement_line.known_at is 'As of when it was stated, UTC.';
comment on column reporting.statement_line.et_week is 'Monday of the week of et_date.';
comment on column reporting.statement_line.et_month is 'First day of the month of et_date.';
