-- When the chain changed its mind. Nothing is deleted: what it took is in reporting.orphaned_fill.
select reorg_id, cause, fork_number, old_number, depth, logs_taken
from reporting.reorg
order by reorg_id
