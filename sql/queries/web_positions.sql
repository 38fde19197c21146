-- One row per share, the largest exposure in dollars first. $1 now, $2 one share or all, $3 at most so many. Of the
-- first ten that are exposed: since when, by what was traded in the last 50 000 blocks (or before:
-- then since the hold), and dollars times the minutes that they were not hedged.
with exposed as (
    select p.*, row_number() over (order by abs(exposure_usd) desc nulls last, abs(exposure) desc, symbol) as place
    from reporting.position_now p
    where ($2::text is null or symbol = $2)
),
parted as materialized (
    select symbol, exposure, case when exposure < 0 then 'SELL' else 'BUY' end as side from exposed where exposure <> 0 and place <= 10
),
-- As in exposure_parts, of all of these at once: the last that were traded on its side are what is exposed.
edge as (
    select coalesce(max(o.block_time), '-infinity') as at
    from release r
    join lateral (
        select l.block_time from chain_log l
        where l.source_id = r.source_id and l.block_number <= r.to_block - 50000
        order by l.block_number desc limit 1
    ) o on true
),
unit as (
    select symbol, exposure, block_time as at, 0 as rank, block_number as place, log_index::bigint as place_in_it, role, quantity
    from reporting.released_fills(50000, false) join parted using (symbol, side)
    union all
    select symbol, exposure, executed_at, 1, id, 0, null, abs(quantity)
    from execution join parted using (symbol)
    where order_id is not null and sign(quantity) = sign(exposure) and executed_at > (select at from edge)
    union all
    select symbol, exposure, happened_at, 2, 0, id, null, abs(quantity)
    from (select id, symbol, quantity, happened_at from opening_position
          union all select id, symbol, quantity, happened_at from correction) stated
    join parted using (symbol)
    where sign(quantity) = sign(exposure)
),
run as (
    select *, sum(quantity) over (partition by symbol order by at desc, rank desc, place desc, place_in_it desc, role desc
                                  rows unbounded preceding) - quantity as before
    from unit
    where at > (select at from edge)
),
open as (
    select symbol, min(at) as since,
        sum(least(quantity, abs(exposure) - before) * round(greatest(extract(epoch from $1::timestamptz - at), 0), 3)) as quantity_seconds
    from run
    where before < abs(exposure)
    group by symbol
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
left join open u using (symbol)
order by e.place
limit $3::bigint
