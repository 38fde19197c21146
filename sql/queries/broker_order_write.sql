-- One row: whose the broker's id is. What was there stays; a broker's word is taken as it is last, and
-- where it does not say what it filled, what it said before holds.
insert into broker_order as b (venue_id, broker_order_id, order_id, filled, status, seen_at)
values ($1, $2, $3, coalesce($4::numeric, 0), $5, $6)
on conflict (venue_id, broker_order_id) do update
set filled = case when b.order_id = excluded.order_id then coalesce($4::numeric, b.filled) else b.filled end,
    status = case when b.order_id = excluded.order_id then excluded.status else b.status end,
    seen_at = excluded.seen_at
returning order_id
