-- One row per trade at a broker that the books have, from one moment to another.
select execution_id, broker_order_id, order_id is not null as ours, symbol, quantity, cash, executed_at
from execution
where venue_id = $1 and executed_at > $2 and executed_at <= $3
order by execution_id
