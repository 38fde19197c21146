-- One row per fill above one block and up to another, as the chain has it now.
select block_number, side, quantity, symbol, round(price_per_underlying, 2) as price
from reporting.fill
where block_number > $1 and block_number <= $2
order by block_number, log_index, role
