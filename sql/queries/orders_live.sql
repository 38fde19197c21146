-- One row per order that is not closed.
select o.id, o.venue_id, o.client_order_id, o.purpose, o.symbol, o.side, o.quantity, o.terms, o.limit_price,
    o.reference_price, o.held, o.state, o.filled, o.why, o.broker_order_id, o.planned_at, o.sent_at, o.accepted_at, o.cancel_asked_at
from hedge_order o
where o.state <> 'closed'
order by o.id
