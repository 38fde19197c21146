-- One row: what the broker says it filled of an order, over all ids that it gave it.
select coalesce(sum(filled), 0)::numeric as filled from broker_order where order_id = $1
