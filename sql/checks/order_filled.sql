-- One row per order whose filled quantity is not the sum of its trades, or more than its broker says.
select o.id, o.filled, coalesce(e.traded, 0) as traded, coalesce(b.told, 0) as told
from hedge_order o
left join (
    select order_id, abs(sum(quantity)) as traded from execution where nature = 'trade' group by order_id
) e on e.order_id = o.id
left join (select order_id, sum(filled) as told from broker_order group by order_id) b on b.order_id = o.id
where o.filled <> coalesce(e.traded, 0) or (o.state = 'closed' and o.why <> 'resolved' and o.filled <> coalesce(b.told, 0))
