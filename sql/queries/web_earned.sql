-- One row per New York day on which something happened, of the last 120; of one share ($1) or all, with what was earned
-- since the first of all days.
with day as (
    select et_date, trades::numeric as trades, realized as realized_usd, fees as fees_usd, realized - fees as net_usd,
        edge as edge_usd, drift as drift_usd, slippage as slippage_usd
    from pnl_total
    where $1::text is null
    union all
    select et_date, trades, realized_usd_exact, fees_usd_exact, net_usd_exact, edge_usd_exact, drift_usd_exact, slippage_usd_exact
    from reporting.daily_pnl
    where symbol = $1
),
so_far as (
    select day.*, sum(net_usd) over (order by et_date) as earned_usd, edge_usd + drift_usd + slippage_usd as spread_usd from day
)
select * from (select * from so_far order by et_date desc limit 120) newest order by et_date
