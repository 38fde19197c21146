-- One row a thing that happened to a break.
insert into recon_break_event (break_id, run_id, event, state, quantity, cash, until, entry_id, reason, author, happened_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
