-- One row per share that our orders left at brokers.
select symbol, sum(quantity) as quantity
from execution
where order_id is not null
group by symbol
having sum(quantity) <> 0
order by symbol
