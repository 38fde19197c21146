-- One row: whose the broker's id is, after a person said whose.
insert into broker_order as b (venue_id, broker_order_id, order_id, filled, status, seen_at)
values ($1, $2, $3, 0, 'adopted by a person', $4)
on conflict (venue_id, broker_order_id) do update set seen_at = excluded.seen_at
returning order_id
