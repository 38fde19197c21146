-- One row per token we have met: what it says of itself.
select chain_id, address, symbol
from token
order by chain_id, symbol, address
