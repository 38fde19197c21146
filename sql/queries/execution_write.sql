-- One row where an execution is new, or was nobody's until now.
insert into execution as e (venue_id, execution_id, order_id, broker_order_id, symbol, nature, quantity, price, cash,
    executed_at, corrects, booked_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict (venue_id, execution_id) do update set order_id = excluded.order_id
where e.order_id is null and excluded.order_id is not null
returning id
