-- One row per order of ours at a broker that may have traded since a moment.
select o.id, o.symbol, case o.side when 'BUY' then o.quantity else -o.quantity end as quantity, o.state <> 'closed' as live,
    coalesce(o.accepted_at, o.sent_at, o.planned_at) as since,
    coalesce(array_agg(b.broker_order_id order by b.broker_order_id) filter (where b.broker_order_id is not null), '{}') as broker_ids
from hedge_order o left join broker_order b on b.order_id = o.id
where o.venue_id = $1 and o.state <> 'planned'
    and (o.state <> 'closed' or o.closed_at > $2 or exists (select from execution e where e.order_id = o.id and e.executed_at > $2))
group by o.id order by o.id
