-- One row per share: its last day up to a date, and what was realized on all of them.
select distinct on (symbol) d.*, d.et_date = $1::text::date as is_today,
    sum(onchain_netting + counter_trade + directional) over (partition by symbol) as realized
from pnl_day d
where et_date <= $1::text::date
order by symbol, et_date desc
