-- What did the reorg take back, and where is the trade now? One row per orphaned fill.
select o.symbol, o.side, o.quantity, o.block_number as was_in, f.block_number as is_in, o.tx_hash
from reporting.orphaned_fill o
left join reporting.fill f using (tx_hash, role, side, symbol, quantity)
order by o.block_number, o.log_index, o.role
