-- What the books said: at any instant, by when things happened and by when they were known here.
-- Facts are kept and never edited, so this is a sum over those of them that were there.
create function reporting.position_as_of(effective timestamptz, known timestamptz default now())
returns table (symbol text, "position" numeric, onchain numeric, hedged numeric, stated numeric)
-- Planned for each instant as it is: what is near the first or the last fact is found by an index.
language plpgsql stable security definer set search_path from current
set plan_cache_mode = force_custom_plan set jit = off set work_mem = '64MB'
as $$
#variable_conflict use_column
declare
    first_at timestamptz := (select min(l.block_time) from source s join lateral (
        select block_time from chain_log where source_id = s.id order by block_number limit 1) l on true);
    last_at timestamptz := (select max(l.block_time) from source s join lateral (
        select block_time from chain_log where source_id = s.id order by block_number desc limit 1) l on true);
    -- In the later half it is counted back from the sums of closed fills, else from nothing.
    back boolean := effective > first_at + (last_at - first_at) / 2;
begin
    return query
    with live as (
        select source_id, from_block from go_live where happened_at <= known
    ),
    released as materialized (
        select s.id as source_id, coalesce(v.from_block, 0) as from_block, step.to_block,
            -- Up to here `fill_close` has the sum.
            case when back and r.from_block = coalesce(v.from_block, 0) then r.closed_to else coalesce(v.from_block, 0) - 1 end as line
        from source s
        left join live v on v.source_id = s.id
        left join release r on r.source_id = s.id
        join lateral (
            select to_block from release_step t
            where t.source_id = s.id and t.released_at <= known
            order by t.id desc limit 1
        ) step on true
        where v.source_id is not null or not exists (select from live)
    ),
    gone as materialized (
        select chain_id, block_hash, log_index
        from (
            select distinct on (chain_id, block_hash, log_index) chain_id, block_hash, log_index, taken_by
            from log_turn where happened_at <= known
            order by chain_id, block_hash, log_index, id desc
        ) as_it_stood
        where taken_by is not null
    ),
    -- Of these the one may hold and the other not: that it counts at that instant, and that it is in the sum.
    doubtful as (
        select l.chain_id, l.block_hash, l.log_index, l.source_id, l.block_number, l.block_time, l.written_at, l.taken_by
        from released r join chain_log l on l.source_id = r.source_id and l.block_number > r.line and l.block_time <= effective
        union
        select l.chain_id, l.block_hash, l.log_index, l.source_id, l.block_number, l.block_time, l.written_at, l.taken_by
        from released r join chain_log l on l.source_id = r.source_id and l.block_number > r.to_block and l.block_number <= r.line
        union
        select l.chain_id, l.block_hash, l.log_index, l.source_id, l.block_number, l.block_time, l.written_at, l.taken_by
        from released r join chain_log l on l.source_id = r.source_id and l.block_number + 0 <= r.line and l.block_time > effective
        union
        select l.chain_id, l.block_hash, l.log_index, l.source_id, l.block_number, l.block_time, l.written_at, l.taken_by
        from released r join chain_log l on l.source_id = r.source_id and l.block_number + 0 <= r.line and l.written_at > known
        union
        select l.chain_id, l.block_hash, l.log_index, l.source_id, l.block_number, l.block_time, l.written_at, l.taken_by
        from chain_log l where l.taken_by is not null
        union
        select l.chain_id, l.block_hash, l.log_index, l.source_id, l.block_number, l.block_time, l.written_at, l.taken_by
        from log_turn t join chain_log l using (chain_id, block_hash, log_index)
    ),
    part (symbol, onchain, hedged, stated, is_there) as (
        select c.symbol, c.quantity, 0::numeric, 0::numeric, false
        from released r join fill_close c using (source_id)
        where r.line >= r.from_block
        union all
        select f.symbol, case f.side when 'BUY' then f.quantity else -f.quantity end * (counts.now::int - counts.closed::int), 0, 0, counts.now
        from doubtful l
        join released r on r.source_id = l.source_id
        join fill f using (chain_id, block_hash, log_index)
        cross join lateral (
            select l.block_number between r.from_block and r.to_block and l.block_time <= effective
                    and (l.written_at <= known) is not false
                    and not exists (select from gone g where (g.chain_id, g.block_hash, g.log_index) = (l.chain_id, l.block_hash, l.log_index)) as now,
                l.block_number between r.from_block and r.line and l.taken_by is null as closed
        ) counts
        where counts.now or counts.closed
        union all
        select symbol, 0, sum(quantity), 0, true from execution
        where order_id is not null and executed_at <= effective and booked_at <= known
        group by symbol
        union all
        select symbol, 0, 0, quantity, true from opening_position where happened_at <= least(effective, known)
        union all
        select symbol, 0, 0, quantity, true from correction where happened_at <= least(effective, known)
    )
    select symbol, sum(onchain) + sum(hedged) + sum(stated), sum(onchain), sum(hedged), sum(stated)
    from part
    group by symbol
    -- A share of which nothing was there then has no row.
    having bool_or(is_there) or sum(onchain) <> 0 or exists (
        select from fill f
        join chain_log l using (chain_id, block_hash, log_index)
        join released r on r.source_id = l.source_id
        where f.symbol = part.symbol and l.block_number between r.from_block and r.to_block and l.block_time <= effective
            and (l.written_at <= known) is not false
            and not exists (select from gone g where (g.chain_id, g.block_hash, g.log_index) = (l.chain_id, l.block_hash, l.log_index)))
    order by symbol;
end
$$;
comment on function reporting.position_as_of is
    'Position of every share at an instant (effective) by what was known here at another (known; left out: by what is known now). Columns as in position_now.';

create function reporting.exposure_as_of(effective timestamptz, known timestamptz default now())
returns table (symbol text, exposure numeric, "position" numeric, in_flight numeric)
language sql stable security definer set search_path from current
as $$
with live as (
    select o.symbol, case o.side when 'BUY' then 1 else -1 end * greatest(o.quantity - coalesce((
            select abs(sum(e.quantity)) from execution e
            where e.order_id = o.id and e.executed_at <= effective and e.booked_at <= known), 0), 0) as quantity
    from hedge_order o
    where o.sent_at <= least(effective, known)
        and (o.closed_at is null or o.closed_at > least(effective, known))
),
flight as (
    select symbol, sum(quantity) as quantity from live group by symbol
)
select coalesce(p.symbol, f.symbol), coalesce(p.position, 0) + coalesce(f.quantity, 0), coalesce(p.position, 0),
    coalesce(f.quantity, 0)
from reporting.position_as_of(effective, known) p
full join flight f on f.symbol = p.symbol
order by 1
$$;
comment on function reporting.exposure_as_of is
    'Exposure of every share at an instant by what was known here at another: its position, and what live orders would still have done, in full while nobody knew better.';
