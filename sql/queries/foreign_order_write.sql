-- One row where an order that is not ours is new to us.
insert into foreign_order as f (venue_id, broker_order_id, symbol, side, quantity, status, said, submitted_at, seen_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (venue_id, broker_order_id) do nothing
returning symbol
