-- One row per share that a statement of $1 values: open at its end, or moved on it; with its last trade until then.
with filled as materialized (
    select symbol, last_fill_price as price, last_fill_at as at from reporting.position_now where last_fill_price > 0
)
select s.symbol, t.price, t.at, t.source
from (
    select symbol from open_lot
    union
    select symbol from pnl_day where et_date >= $1::date - 1 and et_date <= $1::date
) s
left join lateral (
    select * from (
        (select e.price, e.executed_at as at, 'execution' as source from execution e
         where e.symbol = s.symbol and e.nature = 'trade' and e.price > 0
           and e.executed_at < ($1::date + 1)::timestamp at time zone 'America/New_York'
         order by e.executed_at desc, e.id desc limit 1)
        union all
        select f.price, f.at, 'fill' from filled f
        where f.symbol = s.symbol
          and f.at < ($1::date + 1)::timestamp at time zone 'America/New_York'
    ) last
    order by at desc limit 1
) t on true
order by s.symbol
