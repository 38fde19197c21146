-- One row: a share's day, stated.
insert into pnl_statement (
    et_date, symbol, known_at, opening_net, opening_book, opening_market, opening_mark, opening_mark_at,
    opening_mark_source, opening_mark_is_stale, closing_net, closing_book, closing_market, mark,
    mark_at, mark_source, mark_is_stale, trades, bought_quantity, bought_cash, sold_quantity,
    sold_cash, onchain_netting, counter_trade, directional, attributed, edge, drift, slippage,
    costs, income, net_pnl, restated, banked)
values ($1::text::date, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
    $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34)
