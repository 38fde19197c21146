-- One row: whether a day was stated.
select exists (select from pnl_statement where et_date = $1::text::date)
