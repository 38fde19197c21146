-- One row per share, the largest exposure in dollars first.
select p.*,
    (select string_agg('#' || order_id || ' ' || state, ', ' order by order_id)
     from reporting.hedge_order o where o.symbol = p.symbol and o.state <> 'closed') as live_orders
from reporting.position_now p
where ($1::text is null or p.symbol = $1)
order by abs(exposure_usd) desc nulls last, abs(exposure) desc, symbol
limit $2::bigint
