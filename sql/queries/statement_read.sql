-- One row per share, as a day was stated.
select * from pnl_statement where et_date = $1::text::date order by symbol
