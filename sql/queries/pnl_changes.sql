-- One row per split and per new name of a share that holds, oldest first.
select symbol, effective_at, ratio_new, ratio_old, to_symbol
from corporate_action
where kind in ('split', 'rename') and withdrawn_at is null
order by effective_at, kind desc, id
