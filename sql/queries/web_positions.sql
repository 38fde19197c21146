-- One row per share, the largest exposure in dollars first. $1 now, $2 one share or all, $3 at most so many. Of the
-- first ten that are exposed: since when, by what was traded in the last 50 000 blocks (or before:
-- then since the hold), and dollars times the minutes that they were not hedged.
with exposed as (
    select p.*, row_number() over (order by abs(exposure_usd) desc nulls last, abs(exposure) desc, symbol) as place
    from reporting.position_now p
    where ($2::text is null or symbol = $2)
)
select e.symbol, e.exposure, e.exposure_usd,
    case when e.exposure <> 0 then coalesce(u.since, e.hold_since) end      as exposed_since,
    round(u.quantity_seconds * e.last_fill_price / 60, 2)                   as dollar_minutes,
    case
        when o.live_orders is not null then 'in flight: ' || o.live_orders
        when e.exposure = 0 then 'nothing to do'
        when e.hold is not null then e.hold || ': ' || e.hold_detail
        else 'the next sweep decides it'
    end                                                                     as doing,
    e.position, e.onchain, e.hedged, e.stated, e.in_flight, e.last_fill_price, e.last_fill_at, e.hold, e.hold_since
from exposed e
left join lateral (
    select string_agg('#' || id || ' ' || state, ', ' order by id) as live_orders
    from hedge_order where symbol = e.symbol and state <> 'closed'
) o on true
left join lateral (
    select min(p.at) as since,
        sum(p.quantity * round(greatest(extract(epoch from $1::timestamptz - p.at), 0), 3)) as quantity_seconds
    from reporting.exposure_parts(e.symbol, case when e.exposure < 0 then 'SELL' else 'BUY' end, abs(e.exposure), 50000) p
) u on e.exposure <> 0 and e.place <= 10
order by e.place
limit $3::bigint
