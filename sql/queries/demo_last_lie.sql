-- One row, if any: how many contradictions are on record, and the last one.
select count(*) over () as contradictions, node, block_number
from reporting.node_contradiction
order by contradiction_id desc
limit 1
