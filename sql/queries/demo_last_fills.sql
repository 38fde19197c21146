-- The newest fills. `hedge show fills` shows more of them, and more of each.
select executed_at, symbol, side, quantity, price_per_underlying as price, usdc, block_number
from reporting.fill
order by block_number desc, log_index desc, role
limit 5
