-- One row: a cost or an income of a day, stated.
insert into pnl_statement_flow (et_date, symbol, kind, amount) values ($1::text::date, $2, $3, $4)
