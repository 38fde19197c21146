-- One row per order of a share: the live ones, and the last three that closed.
select order_id, state, why, purpose, side, quantity, filled, average_price, coalesce(closed_at, accepted_at, sent_at, planned_at) as since
from (
    select *, row_number() over (partition by state = 'closed' order by order_id desc) as place
    from reporting.hedge_order
    where symbol = $1
) o
where state <> 'closed' or place <= 3
order by order_id
