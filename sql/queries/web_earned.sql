-- One row per New York day on which something happened, of the last 120; of one share ($1) or all, with what was earned
-- since the first of all days.
with day as (
    select et_date, sum(trades) as trades, sum(realized_usd_exact) as realized_usd, sum(fees_usd_exact) as fees_usd,
        sum(net_usd_exact) as net_usd, sum(edge_usd_exact) as edge_usd, sum(drift_usd_exact) as drift_usd,
        sum(slippage_usd_exact) as slippage_usd
    from reporting.daily_pnl
    where $1::text is null or symbol = $1
    group by et_date
),
so_far as (
    select day.*, sum(net_usd) over (order by et_date) as earned_usd, edge_usd + drift_usd + slippage_usd as spread_usd from day
)
select * from (select * from so_far order by et_date desc limit 120) newest order by et_date
