-- One row per order of a share: the live ones, and the last three that closed; each with what it was told last.
select o.order_id, o.venue, o.purpose, o.side, o.quantity, o.terms, o.limit_price, o.state, o.why, o.refusal, o.filled,
    o.average_price, o.author, o.sent_at, o.cancel_asked_at, coalesce(o.closed_at, o.accepted_at, o.sent_at, o.planned_at) as since,
    e.event, e.detail, e.evidence, e.happened_at,
    (select count(*) from order_event s where s.order_id = o.order_id and s.event = 'searched') as searches
from (
    select *, row_number() over (partition by state = 'closed' order by order_id desc) as place
    from reporting.hedge_order
    where symbol = $1
) o
left join lateral (
    select event, detail, evidence, happened_at from order_event where order_id = o.order_id
    order by event = 'searched', id desc limit 1
) e on true
where o.state <> 'closed' or o.place <= 3
order by o.order_id
