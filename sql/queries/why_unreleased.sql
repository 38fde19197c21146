-- One row: what was filled of a share and does not count yet, because it is not deep enough or not believed. These are
-- few of all: the logs are found by their place, then the fill of each, in this order alone.
select count(*) as fills, coalesce(sum(case f.side when 'BUY' then f.quantity else -f.quantity end), 0) as quantity
from release r
cross join lateral (
    select l.chain_id, l.block_hash, l.log_index from chain_log l
    where l.source_id = r.source_id and l.block_number > greatest(r.to_block, r.from_block - 1) and l.taken_by is null
    order by l.block_number
    offset 0
) l
cross join lateral (
    select f.side, f.quantity from fill f
    where (f.chain_id, f.block_hash, f.log_index) = (l.chain_id, l.block_hash, l.log_index) and f.symbol = $1
    offset 0
) f
