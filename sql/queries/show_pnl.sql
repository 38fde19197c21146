-- One row per trade, newest first: what it earned. Share by share, as there the last ones are found by an index.
with recursive share (symbol) as (
    (select symbol from pnl_row where known_to is null and ($1::text is null or symbol = $1) order by symbol limit 1)
    union all
    select (select r.symbol from pnl_row r where r.known_to is null and r.symbol > s.symbol order by r.symbol limit 1)
    from share s
    where $1::text is null and s.symbol is not null
)
select t.*
from share s
cross join lateral (
    select * from reporting.trade_pnl
    where symbol = s.symbol
    order by executed_at desc, trade_type, trade_id
    limit $2::bigint
) t
order by executed_at desc, symbol, trade_type, trade_id
limit $2::bigint
