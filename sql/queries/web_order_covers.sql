-- One row per part of an order: which exposure it hedges.
select c.*, s.chain_id
from reporting.cover c
left join source s on s.name = c.source
where c.order_id = $1
order by c.place
