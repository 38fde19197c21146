-- One row per cost or income, as a day was stated.
select symbol::text as symbol, kind, amount from pnl_statement_flow where et_date = $1::text::date
