-- One row per day of a share that is counted again.
delete from pnl_day where symbol = $1 and et_date >= $2::text::date
