-- One row per order on paper, oldest first: the one of an id, or all of a venue.
select client_id, symbol, side, quantity, limit_price, taken_at, fate, filled_at, price
from paper_order
where venue = $1 and ($2::text is null or client_id = $2)
order by taken_at, client_id
