-- What the broker was asked to do, each once. `hedge show orders`, and `hedge show events 1`
select order_id, side, quantity, symbol, exposure_before, why, filled, average_price
from reporting.hedge_order
order by order_id
