-- One row: what was held of a share on chain and at brokers when an action ($3) became effective ($2),
-- as position_now counts it, and what was corrected for that action so far.
select
    coalesce((select sum(quantity) from opening_position where symbol = $1 and happened_at < $2), 0)
    + coalesce((
        select sum(c.quantity)
        from correction c
        left join corporate_action a on a.action_id = c.action_id
        where c.symbol = $1
            and (c.happened_at < $2 or (c.happened_at = $2 and a.id < $3))
    ), 0)
    + coalesce((
        select sum(case f.side when 'BUY' then f.quantity else -f.quantity end)
        from release r
        join chain_log l on l.source_id = r.source_id
            and l.block_number between r.from_block and r.to_block and l.taken_by is null and l.block_time < $2
        join fill f using (chain_id, block_hash, log_index)
        where f.symbol = $1
            and (not exists (select from go_live) or r.source_id in (select source_id from go_live))
    ), 0)
    + coalesce((
        select sum(quantity) from execution where symbol = $1 and executed_at < $2 and order_id is not null
    ), 0) as held,
    coalesce((
        select sum(c.quantity)
        from correction c
        join corporate_action a using (action_id)
        where c.symbol = $1 and a.id = $3
    ), 0) as corrected
