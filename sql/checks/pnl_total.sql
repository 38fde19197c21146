-- One row per day whose sums over all shares are not those of its shares.
with summed as (
    select et_date, count(*) as shares, sum(trades) as trades, sum(onchain_netting + counter_trade + directional) as realized,
        sum(fees) as fees, sum(edge) as edge, sum(drift) as drift, sum(slippage) as slippage
    from pnl_day group by et_date
)
select et_date, t.realized - t.fees as told, s.realized - s.fees as summed
from pnl_total t
full join summed s using (et_date)
where (t.shares, t.trades, t.realized, t.fees, t.edge, t.drift, t.slippage)
    is distinct from (s.shares, s.trades, s.realized, s.fees, s.edge, s.drift, s.slippage)
