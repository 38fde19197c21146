-- No row: a position that was there before.
insert into opening_position (symbol, quantity, reason, author, happened_at) values ($1, $2, $3, $4, $5)
