-- One row per match of a share that is counted again.
delete from pnl_match where symbol = $1 and closed_at >= $2
