-- One row: a run that counted.
insert into pnl_run (id, kind, state, known_at, said, shares, trades, added, restated, withdrawn)
overriding system value
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
