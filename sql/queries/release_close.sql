-- No row: released and final fills are summed, once there are so many blocks of them.
with closing as (
    select r.source_id, r.closed_to, least(r.to_block, coalesce(c.finalized, c.number - 64)) as upto
    from release r join cursor c using (source_id)
    where r.source_id = $1 and least(r.to_block, coalesce(c.finalized, c.number - 64)) >= r.closed_to + $2::bigint
),
summed as (
    insert into fill_close as old (source_id, symbol, quantity, last_fill)
    select c.source_id, f.symbol, sum(case f.side when 'BUY' then f.quantity else -f.quantity end),
        max(case when f.quantity > 0 and f.usdc > 0 then
            array[extract(epoch from l.block_time), l.block_number, l.log_index, f.usdc, f.quantity]
        end)
    from closing c
    join chain_log l on l.source_id = c.source_id and l.block_number > c.closed_to
        and l.block_number <= c.upto and l.taken_by is null
    join fill f using (chain_id, block_hash, log_index)
    group by c.source_id, f.symbol
    on conflict (source_id, symbol) do update
    set quantity = old.quantity + excluded.quantity, last_fill = greatest(old.last_fill, excluded.last_fill)
)
update release r set closed_to = c.upto from closing c where r.source_id = c.source_id
