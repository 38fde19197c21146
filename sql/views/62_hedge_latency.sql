-- One row per fill and order that hedges it: how long each step took from the block to the broker's trade.
create view reporting.hedge_latency as
select
    order_id,
    place,
    symbol,
    side,
    venue,
    source,
    '0x' || encode(tx_hash, 'hex')                          as tx_hash,
    log_index,
    role,
    quantity,
    round(usd, 2)::numeric(20,2)                            as value_usd,
    block_time                                              as filled_onchain_at,
    written_at,
    released_at,
    planned_at,
    sent_at,
    executed_at,
    round(extract(epoch from written_at - block_time), 3)   as detection_seconds,
    round(extract(epoch from released_at - written_at), 3)  as confirmation_seconds,
    round(extract(epoch from planned_at - released_at), 3)  as decision_seconds,
    round(extract(epoch from sent_at - planned_at), 3)      as submission_seconds,
    round(extract(epoch from executed_at - sent_at), 3)     as execution_seconds,
    round(extract(epoch from executed_at - block_time), 3)  as exposure_seconds,
    round(usd * extract(epoch from executed_at - block_time) / 60, 2)::numeric(20,2) as dollar_minutes,
    (planned_at at time zone 'America/New_York')::date      as et_date,
    date_trunc('week', planned_at at time zone 'America/New_York')::date as et_week,
    date_trunc('month', planned_at at time zone 'America/New_York')::date as et_month
from (
    select o.symbol, o.side, v.name as venue, s.name as source, l.tx_hash, l.block_time, l.written_at, o.planned_at, o.sent_at,
        c.order_id, c.place, c.log_index, c.role, c.quantity, c.executed_at,
        -- What few ask for is looked up for the rows that are told, one by one: so this is no `with`, which would hide it.
        (select c.quantity * f.price / f.wrapper_ratio from fill f
         where (f.chain_id, f.block_hash, f.log_index, f.role) = (c.chain_id, c.block_hash, c.log_index, c.role)) as usd,
        -- The first step that reached it; before steps were noted there is none.
        (select nullif(t.released_at, '-infinity') from release_step t
         where t.source_id = l.source_id and t.to_block >= l.block_number and t.released_at >= coalesce(l.written_at, '-infinity')
         order by t.to_block, t.id limit 1) as released_at
    from hedge_order o
    join venue v on v.id = o.venue_id
    -- Part by part, with the execution with which so much was filled that the part is. An order has few of either, and is
    -- found by its share or its day: so both are read for it alone.
    cross join lateral (
        select distinct on (p.place) p.*, e.executed_at
        from (select *, sum(quantity) over (order by place rows unbounded preceding) as up_to from cover where order_id = o.id) p
        left join (
            select executed_at, id, abs(sum(quantity) over (order by executed_at, id rows unbounded preceding)) as so_far
            from execution where order_id = o.id
        ) e on e.so_far >= p.up_to
        where p.what = 'fill'
        order by p.place, e.executed_at, e.id
    ) c
    join chain_log l on (l.chain_id, l.block_hash, l.log_index) = (c.chain_id, c.block_hash, c.log_index)
    join source s on s.id = l.source_id
) part;

comment on view reporting.hedge_latency is
    'One row per fill and order that hedges it: how long each step took, from the block to the broker''s trade. The steps add up to exposure_seconds.';
comment on column reporting.hedge_latency.order_id is 'Number of the order.';
comment on column reporting.hedge_latency.place is 'Place of the fill among what the order hedges, from 1.';
comment on column reporting.hedge_latency.symbol is 'Ticker of the share.';
comment on column reporting.hedge_latency.side is 'Side of the order: BUY hedges what was sold on chain.';
comment on column reporting.hedge_latency.venue is 'Name of the venue in hedge.toml that the order is at.';
comment on column reporting.hedge_latency.source is 'Source of the fill.';
comment on column reporting.hedge_latency.tx_hash is 'Transaction of the fill; 0x and 64 lower-case hex digits.';
comment on column reporting.hedge_latency.log_index is 'Place of the fill''s log in its block.';
comment on column reporting.hedge_latency.role is 'Which side of the log the fill is.';
comment on column reporting.hedge_latency.quantity is 'Underlying of the fill that the order is for, above zero.';
comment on column reporting.hedge_latency.value_usd is 'What that is worth at the fill''s price, dollars to the cent, never negative.';
comment on column reporting.hedge_latency.filled_onchain_at is 'Time of the fill''s block, UTC.';
comment on column reporting.hedge_latency.written_at is 'When the fill was written here, UTC. NULL: before that was noted.';
comment on column reporting.hedge_latency.released_at is 'When it was deep enough and believed well enough to be hedged, UTC. NULL: before that was noted.';
comment on column reporting.hedge_latency.planned_at is 'When the order was planned, UTC.';
comment on column reporting.hedge_latency.sent_at is 'When the order was sent, UTC. NULL while it is not.';
comment on column reporting.hedge_latency.executed_at is 'When the broker had traded all of this part, as the broker says, UTC. NULL while it has not.';
comment on column reporting.hedge_latency.detection_seconds is 'Seconds from the block''s time until the fill was written here. NULL where that was not noted.';
comment on column reporting.hedge_latency.confirmation_seconds is 'Seconds from there until it was released to be hedged. NULL where that was not noted.';
comment on column reporting.hedge_latency.decision_seconds is 'Seconds from there until the order was planned: a threshold or a closed market is waited for here.';
comment on column reporting.hedge_latency.submission_seconds is 'Seconds from the plan until the order was sent. NULL while it is not.';
comment on column reporting.hedge_latency.execution_seconds is 'Seconds from sending until the broker had traded this part. NULL while it has not.';
comment on column reporting.hedge_latency.exposure_seconds is 'Seconds from the block''s time until the broker had traded this part: how long it was exposed. NULL while it is.';
comment on column reporting.hedge_latency.dollar_minutes is 'value_usd times minutes of exposure. NULL while it is exposed.';
comment on column reporting.hedge_latency.et_date is 'Date of planned_at in New York.';
comment on column reporting.hedge_latency.et_week is 'Monday of the week of et_date.';
comment on column reporting.hedge_latency.et_month is 'First day of the month of et_date.';
