-- One row: a share's day.
select * from pnl_day where symbol = $1 and et_date = $2::text::date
