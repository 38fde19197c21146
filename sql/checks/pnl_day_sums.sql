-- One row per share and day whose sums are not those of its trades, or of its matches.
with trade as (
    select symbol, (executed_at at time zone 'America/New_York')::date as et_date, count(*) as trades,
        coalesce(sum(realized_pnl), 0) as realized, sum(fee) as fees,
        coalesce(sum(cash) filter (where side = 'BUY'), 0) as bought, coalesce(sum(cash) filter (where side = 'SELL'), 0) as sold
    from pnl_row where known_to is null
    group by 1, 2
),
met as (
    select symbol, (closed_at at time zone 'America/New_York')::date as et_date, sum(pnl) as pnl
    from pnl_match group by 1, 2
)
select symbol, et_date, d.trades, t.trades as counted
from (select * from pnl_day where trades > 0) d
full join trade t using (symbol, et_date)
left join met m using (symbol, et_date)
where (d.trades, d.onchain_netting + d.counter_trade + d.directional, d.fees, d.bought_cash, d.sold_cash)
        is distinct from (t.trades, t.realized, t.fees, t.bought, t.sold)
    or coalesce(m.pnl, 0) <> t.realized
