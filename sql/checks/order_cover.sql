-- One row per hedge whose parts do not make up what it is for.
select o.id, o.quantity, coalesce(sum(c.quantity), 0) as covered
from hedge_order o left join cover c on c.order_id = o.id
where o.purpose = 'hedge'
group by o.id, o.quantity
having o.quantity <> coalesce(sum(c.quantity), 0)
