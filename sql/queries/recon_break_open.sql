-- One row: the number of a break that is seen for the first time.
insert into recon_break (key, leg, account, instrument, class, stuck, state, quantity, cash, deadline, first_seen, changed_at, refs, detail)
values ($1, $2, $3, $4, $5, false, 'OPEN', $6, $7, $8, $9, $9, $10, $11)
returning id
