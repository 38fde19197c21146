-- One row where it is new: an activity at a broker that is no trade.
insert into activity (venue_id, activity_id, kind, word, symbol, quantity, cash, day, happened_at, said)
values ($1, $2, $3, $4, $5, $6, $7, $8::date, $9, $10)
on conflict do nothing
returning activity_id
