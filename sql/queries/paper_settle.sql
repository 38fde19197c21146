-- No row: what became of an order on paper that rested.
update paper_order
set fate = $3, filled_at = $4, price = $5
where venue = $1 and client_id = $2 and fate = 'resting'
