-- One row: what was filled of a share and does not count yet, because it is not deep enough or not believed.
select count(*) as fills, coalesce(sum(case f.side when 'BUY' then f.quantity else -f.quantity end), 0) as quantity
from release r
join chain_log l on l.source_id = r.source_id and l.block_number > greatest(r.to_block, r.from_block - 1) and l.taken_by is null
join fill f using (chain_id, block_hash, log_index)
where f.symbol = $1
