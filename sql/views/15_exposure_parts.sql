-- One row per part of an exposure, oldest first: the last shares that were traded on its side, on
-- chain and at brokers. The n-th share bought meets the n-th sold, so these are the ones left over.
create function reporting.exposure_parts(of_symbol text, of_side text, of_quantity numeric, of_blocks bigint)
returns table (what text, chain_id bigint, block_hash bytea, log_index int, role text, execution bigint,
               at timestamptz, quantity numeric)
language sql stable security definer set search_path from current
as $$
with edge as (
    -- What is looked at is younger than every log that is not: so nothing that lies between is missed.
    select coalesce(max(o.block_time), '-infinity') as at
    from release r
    join lateral (
        select l.block_time from chain_log l
        where l.source_id = r.source_id and l.block_number <= r.to_block - of_blocks
        order by l.block_number desc limit 1
    ) o on true
),
unit as (
    select block_time as at, 0 as rank, block_number as place, log_index::bigint as place_in_it,
        'fill' as what, chain_id, block_hash, log_index, role, null::bigint as execution, quantity
    from reporting.released_fills(of_blocks, false)
    where symbol = of_symbol and side = of_side
    union all
    select executed_at, 1, id, 0, 'execution', null, null, null, null, id, abs(quantity)
    from execution
    where symbol = of_symbol and order_id is not null and sign(quantity) = case of_side when 'BUY' then 1 else -1 end
    union all
    select happened_at, 2, 0, id, 'stated', null, null, null, null, null, abs(quantity)
    from (select id, symbol, quantity, happened_at from opening_position
          union all select id, symbol, quantity, happened_at from correction) stated
    where symbol = of_symbol and sign(quantity) = case of_side when 'BUY' then 1 else -1 end
),
run as (
    select *, sum(quantity) over (order by at desc, rank desc, place desc, place_in_it desc, role desc
                                  rows unbounded preceding) as so_far
    from unit
    where at > (select at from edge)
)
select what, chain_id, block_hash, log_index, role, execution, at, least(quantity, of_quantity - (so_far - quantity)) as quantity
from run
where so_far - quantity < of_quantity
order by at, rank, place, place_in_it, role
$$;
comment on function reporting.exposure_parts is
    'The parts of an exposure: the last of_quantity shares of of_symbol that were traded on of_side, oldest first. With of_blocks, only of what is younger than the last so many blocks: the parts may be fewer then.';
