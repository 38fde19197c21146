-- One row per part of an exposure, oldest first: the last `$3` shares that were traded on side `$2`,
-- on chain and at brokers. The n-th share bought meets the n-th sold, so these are the ones left over.
-- Without `$4`, closed fills are left out: there is a row less, or shares less, where they were needed.
with unit as (
    select l.block_time as at, 0 as rank, l.block_number as place, l.log_index::bigint as place_in_it,
        'fill' as what, f.chain_id, f.block_hash, f.log_index, f.role, null::bigint as execution, f.quantity
    from release r
    join chain_log l on l.source_id = r.source_id and l.block_number <= r.to_block and l.taken_by is null
        and l.block_number > case when $4 then r.from_block - 1 else r.closed_to end
    join fill f using (chain_id, block_hash, log_index)
    where f.symbol = $1 and f.side = $2
        and (not exists (select from go_live) or r.source_id in (select source_id from go_live))
    union all
    select executed_at, 1, id, 0, 'execution', null, null, null, null, id, abs(quantity)
    from execution
    where symbol = $1 and order_id is not null and sign(quantity) = case $2 when 'BUY' then 1 else -1 end
    union all
    select happened_at, 2, 0, id, 'stated', null, null, null, null, null, abs(quantity)
    from (select id, symbol, quantity, happened_at from opening_position
          union all select id, symbol, quantity, happened_at from correction) stated
    where symbol = $1 and sign(quantity) = case $2 when 'BUY' then 1 else -1 end
),
run as (
    select *, sum(quantity) over (order by at desc, rank desc, place desc, place_in_it desc, role desc
                                  rows unbounded preceding) as so_far
    from unit
)
select what, chain_id, block_hash, log_index, role, execution, at, least(quantity, $3 - (so_far - quantity)) as quantity
from run
where so_far - quantity < $3
order by at, rank, place, place_in_it, role
