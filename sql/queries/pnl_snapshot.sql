-- One row: the last place before a time from which a share can be counted on.
select until, is_last, cumulative_pnl, cumulative_fees, lots::text as lots
from pnl_snapshot
where symbol = $1 and until <= $2
order by until desc
limit 1
