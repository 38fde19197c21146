-- No row: what is exposed of a share is changed by a corporate action.
insert into correction (symbol, quantity, reason, author, happened_at, action_id) values ($1, $2, $3, $4, $5, $6)
