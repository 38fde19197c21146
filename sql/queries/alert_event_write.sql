-- No row: something that was said of a condition.
insert into alert_event (key, event, run_id, class, severity, usd, quantity, said, author, until, happened_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
