-- One row per day that was stated before a date and is known, the last ones, oldest first.
select et_date::text as et_date, net_pnl
from (
    select et_date, sum(net_pnl) as net_pnl
    from pnl_statement
    where et_date < $1::text::date
    group by et_date
    having count(*) = count(net_pnl)
    order by et_date desc
    limit $2
) last_ones
order by et_date
