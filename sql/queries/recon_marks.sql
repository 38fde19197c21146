-- One row per share that has a price: the newest mark, else its last fill's.
with priced (symbol, price, as_of, place) as (
    select symbol, price, as_of, 1 from mark where as_of <= $1
    union all
    select symbol, last_fill_price, last_fill_at, 2 from reporting.position_now where last_fill_price > 0
)
select distinct on (symbol) symbol, price from priced order by symbol, place, as_of desc, price
