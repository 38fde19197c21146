-- No row: a move of an order and what it rests on.
insert into order_event (order_id, event, state, detail, evidence, author, happened_at) values ($1, $2, $3, $4, $5, $6, $7)
