-- One row per share whose open lots are not its position, or cost something else.
with lot as (
    select symbol, sum(case side when 'LONG' then quantity else -quantity end) as net,
        sum(case side when 'LONG' then cost else -cost end) as book
    from open_lot group by symbol
),
day as (
    select distinct on (symbol) symbol, closing_net, closing_book from pnl_day order by symbol, et_date desc
)
select symbol, net, closing_net
from lot full join day using (symbol)
where (coalesce(net, 0), coalesce(book, 0)) is distinct from (closing_net, closing_book)
