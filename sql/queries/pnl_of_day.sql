-- One row per share: what it earned on a day.
select * from reporting.daily_pnl where et_date = $1::text::date order by symbol
