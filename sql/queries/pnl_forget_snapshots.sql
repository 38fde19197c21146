-- One row per snapshot of a share that no longer holds, or is no longer the last.
delete from pnl_snapshot where symbol = $1 and (until >= $2 or is_last)
