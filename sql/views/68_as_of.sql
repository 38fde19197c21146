-- What the books said: at any instant, by when things happened and by when they were known here.
-- Facts are kept and never edited, so this is a sum over those of them that were there.
create function reporting.position_as_of(effective timestamptz, known timestamptz default now())
returns table (symbol text, "position" numeric, onchain numeric, hedged numeric, stated numeric)
language sql stable security definer set search_path from current
as $$
with live as (
    select source_id, from_block from go_live where happened_at <= known
),
released as (
    select s.id as source_id, coalesce(v.from_block, 0) as from_block, step.to_block
    from source s
    left join live v on v.source_id = s.id
    join lateral (
        select to_block from release_step t
        where t.source_id = s.id and t.released_at <= known
        order by t.id desc limit 1
    ) step on true
    where v.source_id is not null or not exists (select from live)
),
gone as (
    select chain_id, block_hash, log_index
    from (
        select distinct on (chain_id, block_hash, log_index) chain_id, block_hash, log_index, taken_by
        from log_turn where happened_at <= known
        order by chain_id, block_hash, log_index, id desc
    ) as_it_stood
    where taken_by is not null
),
part (symbol, onchain, hedged, stated) as (
    select f.symbol, case f.side when 'BUY' then f.quantity else -f.quantity end, 0::numeric, 0::numeric
    from released r
    join chain_log l on l.source_id = r.source_id and l.block_number between r.from_block and r.to_block
    join fill f using (chain_id, block_hash, log_index)
    where l.block_time <= effective and (l.written_at <= known) is not false
        and not exists (
            select from gone g
            where (g.chain_id, g.block_hash, g.log_index) = (l.chain_id, l.block_hash, l.log_index))
    union all
    select symbol, 0, quantity, 0 from execution
    where order_id is not null and executed_at <= effective and booked_at <= known
    union all
    select symbol, 0, 0, quantity from opening_position where happened_at <= least(effective, known)
    union all
    select symbol, 0, 0, quantity from correction where happened_at <= least(effective, known)
)
select symbol, sum(onchain) + sum(hedged) + sum(stated), sum(onchain), sum(hedged), sum(stated)
from part
group by symbol
order by symbol
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
