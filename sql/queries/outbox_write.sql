-- No row: a letter is to go to somebody.
insert into outbox (letter_id, channel, recipient, next_at) values ($1, $2, $3, $4)
on conflict do nothing
