-- One row where an execution is new.
insert into execution (venue_id, execution_id, order_id, broker_order_id, symbol, nature, quantity, price, cash,
    executed_at, corrects, booked_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict (venue_id, execution_id) do nothing
returning id
