-- One row per order, newest first.
select *
from reporting.hedge_order
where ($1::text is null or symbol = $1)
  and (not $2::boolean or state <> 'closed')
order by order_id desc
limit $3::bigint
