-- One row per change of a position: a fill, an execution, or what somebody stated. First the changes
-- from any instant on, which are counted back from the position as it is now: the past is not read.
create function reporting.exposure_changes(since timestamptz, of_symbol text default null)
returns table (symbol text, happened_at timestamptz, place bigint, what text, quantity numeric, position_after numeric, price numeric)
language plpgsql stable rows 10000 security definer set search_path from current
set plan_cache_mode = force_custom_plan
-- Nothing here is long enough to be compiled; and what is sorted stays in memory.
set jit = off set work_mem = '64MB'
as $$
#variable_conflict use_column
begin
    return query
    with at_last as materialized (
        select symbol, position, last_fill_price from reporting.position_now
        where of_symbol is null or symbol = of_symbol
    ),
    change as materialized (
        select f.symbol, l.block_time as at, 0 as rank, l.block_number as place, l.log_index::bigint as place_in_it, 'fill' as what,
            case f.side when 'BUY' then f.quantity else -f.quantity end as quantity,
            case when f.quantity > 0 and f.usdc > 0 then f.usdc / f.quantity end as price
        from release r
        -- Found by time: the blocks are those of all history, so the index of blocks is kept out of it.
        join chain_log l on l.source_id = r.source_id and l.block_number + 0 between r.from_block and r.to_block
        join fill f using (chain_id, block_hash, log_index)
        where l.block_time >= since and l.taken_by is null and (of_symbol is null or f.symbol = of_symbol)
            and (not exists (select from go_live) or r.source_id in (select source_id from go_live))
        union all
        select symbol, executed_at, 1, id, 0, 'execution', quantity, nullif(price, 0)
        from execution where order_id is not null and executed_at >= since and (of_symbol is null or symbol = of_symbol)
        union all
        select symbol, happened_at, 2, id, 0, 'stated', quantity, null from opening_position
        where happened_at >= since and (of_symbol is null or symbol = of_symbol)
        union all
        select symbol, happened_at, 3, id, 0, 'stated', quantity, null from correction
        where happened_at >= since and (of_symbol is null or symbol = of_symbol)
    ),
    told as (
        select n.symbol, since as at, -1 as rank, 0::bigint as place, 0::bigint as place_in_it, 'carried' as what, 0::numeric as quantity,
            n.position - coalesce(c.quantity, 0) as step,
            coalesce(
                (select m.price from mark m where m.symbol = n.symbol and m.as_of < since order by m.as_of desc limit 1),
                n.last_fill_price) as price
        from at_last n
        left join (select symbol, sum(quantity) as quantity from change group by symbol) c using (symbol)
        union all
        select symbol, at, rank, place, place_in_it, what, quantity, quantity, price from change
    ),
    run as (
        select symbol, at, what, quantity, price, row_number() over before - 1 as nth,
            sum(step) over before as position_after, count(price) over before as priced
        from told
        window before as (partition by symbol order by at, rank, place, place_in_it rows unbounded preceding)
    )
    select symbol, at, nth, what, quantity, position_after,
        round(first_value(price) over (partition by symbol, priced order by nth), 18)
    from run
    where what <> 'carried' or position_after <> 0
    order by symbol, nth;
end
$$;
comment on function reporting.exposure_changes is
    'Every change of a position from an instant on, and what was open then (carried), as it is known now. price is that of the last trade up to there, in dollars.';

create view reporting.exposure_history as
select
    c.symbol,
    c.happened_at                                           as executed_at,
    c.place,
    c.what,
    c.quantity,
    c.position_after,
    c.price,
    round(c.position_after * c.price, 2)::numeric(20,2)     as position_after_usd,
    (c.happened_at at time zone 'America/New_York')::date   as et_date,
    date_trunc('week', c.happened_at at time zone 'America/New_York')::date as et_week,
    date_trunc('month', c.happened_at at time zone 'America/New_York')::date as et_month
from reporting.exposure_changes(now() - interval '31 days') c;

comment on view reporting.exposure_history is
    'One row per change of a position in the last 31 days, as it is known now, and what was open before. Further back: select from reporting.exposure_changes(instant).';
comment on column reporting.exposure_history.symbol is 'Ticker of the share.';
comment on column reporting.exposure_history.executed_at is 'When it happened, UTC: the block''s time, the broker''s, or when it was stated; of carried, 31 days ago.';
comment on column reporting.exposure_history.place is 'Place among the changes of the share, from 1; 0: carried.';
comment on column reporting.exposure_history.what is 'fill: a trade on chain; execution: one at a broker; stated: an opening position or a correction; carried: what was open before.';
comment on column reporting.exposure_history.quantity is 'Underlying by which it changed, signed: bought is positive.';
comment on column reporting.exposure_history.position_after is 'Underlying held after it and not hedged, signed: long is positive. What was in flight is not in it.';
comment on column reporting.exposure_history.price is 'Dollars per share of the last trade or mark up to here. NULL where there was none.';
comment on column reporting.exposure_history.position_after_usd is 'position_after at price, dollars to the cent, signed. NULL where there is no price.';
comment on column reporting.exposure_history.et_date is 'Date of executed_at in New York.';
comment on column reporting.exposure_history.et_week is 'Monday of the week of et_date.';
comment on column reporting.exposure_history.et_month is 'First day of the month of et_date.';
