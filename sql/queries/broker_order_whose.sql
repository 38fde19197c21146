-- One row, or none: the order of ours that an id of a broker belongs to.
select o.id, o.side, o.state = 'closed' as closed
from broker_order b join hedge_order o on o.id = b.order_id
where b.venue_id = $1 and b.broker_order_id = $2
