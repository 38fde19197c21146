-- One row per share, as it was stated on the last day before a date.
select et_date::text as et_date, symbol::text as symbol, closing_market, closing_book, banked
from pnl_statement
where et_date = (select max(et_date) from pnl_statement where et_date < $1::text::date)
