-- What did we buy and sell on the last day, and at what average price? One row per share and side.
select et_date, symbol, side, count(*) as fills, sum(quantity) as quantity, sum(usdc) as usdc,
       round(sum(usdc) / sum(quantity), 2) as average_price
from reporting.fill
where et_date = (select max(et_date) from reporting.fill)
group by et_date, symbol, side
order by symbol, side
