-- No row: an order on paper, unless its id is taken.
insert into paper_order (venue, client_id, symbol, side, quantity, limit_price, taken_at, fate, filled_at, price)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (venue, client_id) do nothing
