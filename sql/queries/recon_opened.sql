-- One row: since when the balances of an account at a broker are known, and the activities that were in them.
select max(as_of) as opened_at from account_entry where kind = 'opening' and account = $1 and leg in ('broker', 'cash')
