-- One row: since when the balances of an account at a broker are known, as of a moment or now.
select max(as_of) as opened_at from account_entry
where kind = 'opening' and account = $1 and leg in ('broker', 'cash') and ($2::timestamptz is null or as_of <= $2)
