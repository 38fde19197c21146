-- One row a correction of what is exposed of a share.
insert into correction (symbol, quantity, reason, author, happened_at) values ($1, $2, $3, $4, $5)
