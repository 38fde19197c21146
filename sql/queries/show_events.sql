-- One row per event of an order, or of all: the newest, in the order in which they happened.
select *
from (
    select * from reporting.order_event
    where ($1::bigint is null or order_id = $1)
    order by event_id desc
    limit $2::bigint
) newest
order by event_id
