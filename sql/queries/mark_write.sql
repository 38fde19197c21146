-- No row: a price that open quantity may be valued at.
insert into mark (symbol, price, as_of, source) values ($1, $2, $3, $4)
on conflict (symbol, source, as_of, price) do nothing
