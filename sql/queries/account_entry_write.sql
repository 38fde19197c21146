-- One row: the number of the entry.
insert into account_entry (kind, leg, account, instrument, amount, as_of, refs, transfer, deadline, break_id, reason, author, happened_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
returning id
