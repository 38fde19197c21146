-- No row: a halt, or its end.
insert into halt (symbol, act, reason, author, happened_at) values ($1, $2, $3, $4, $5)
