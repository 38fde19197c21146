-- One row per share of all imports: how much was traded and hedged, its net, and what of it is stated already.
with
    trade as (
        select symbol, count(*) as trades, sum(case side when 'BUY' then quantity else -quantity end) as quantity
        from imported_trade
        group by symbol
    ),
    execution as (
        select symbol, count(*) as executions, sum(case side when 'BUY' then quantity else -quantity end) as quantity
        from imported_execution
        where status = 'FILLED'
        group by symbol
    ),
    position as (select symbol, sum(stated) as stated from imported_position group by symbol)
select
    symbol,
    coalesce(t.trades, 0)                                                        as trades,
    coalesce(e.executions, 0)                                                    as executions,
    (coalesce(t.quantity, 0) + coalesce(e.quantity, 0))::numeric(38,18)          as net,
    coalesce(p.stated, 0)::numeric(38,18)                                        as stated
from trade t
full join execution e using (symbol)
full join position p using (symbol)
order by symbol
