-- One row: imported trades of a source at or after a block, which hedging from there would count again.
select count(*)
from imported_trade t
join source s on s.id = $1
join chain_log l
    on l.chain_id = s.chain_id and l.tx_hash = t.tx_hash and l.log_index = t.log_index
    and l.taken_by is null and l.source_id = s.id and l.block_number >= $2
