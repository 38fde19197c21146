-- One row per order that hedges a part of a fill.
select o.order_id, o.venue, o.side, o.symbol, c.quantity, o.quantity as of_quantity, o.filled, o.average_price,
    coalesce(o.why, o.state) as state, o.planned_at, o.closed_at
from chain_log l
join cover c on (c.chain_id, c.block_hash, c.log_index) = (l.chain_id, l.block_hash, l.log_index) and c.what = 'fill'
join reporting.hedge_order o on o.order_id = c.order_id
where l.chain_id = $1 and l.tx_hash = decode($2, 'hex') and l.log_index = $3 and c.role = $4
order by o.order_id
