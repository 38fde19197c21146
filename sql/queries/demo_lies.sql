-- Who lied? One row per two answers that could not both be true; what each said is there in full.
select node, block_number, left(said, 40) || '…' as said, found_by, times
from reporting.node_contradiction
order by contradiction_id
