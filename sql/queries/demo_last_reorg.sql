-- One row: the last time the chain changed its mind.
select fork_number, depth, logs_taken
from reporting.reorg
order by reorg_id desc
limit 1
