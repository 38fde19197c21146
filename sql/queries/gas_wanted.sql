-- One row per canonical transaction with a log of a source's whose receipt was not read, the newest first.
-- $2, $3: only those before this block and transaction.
select distinct l.block_number, l.tx_hash, l.block_hash, l.block_time
from chain_log l
where l.source_id = $1 and l.taken_by is null and l.block_number <= $2 and (l.block_number, l.tx_hash) < ($2, $3)
    and not exists (
        select from gas g where (g.tx_hash, g.block_hash, g.chain_id) = (l.tx_hash, l.block_hash, l.chain_id))
order by l.block_number desc, l.tx_hash desc
limit $4
