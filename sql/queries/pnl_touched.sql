-- One row per trade that a note is about, as `pnl_trades` has it now; is_present is false where it
-- is none any more. Each is looked up by itself: they are few beside all.
with recursive noted_log as (
    select distinct chain_id, block_hash, log_index from pnl_touch where what = 'log'
),
-- With a fill its transaction: what that cost is the fee of its first one.
touched_log as (
    select chain_id, block_hash, log_index from noted_log
    union
    select x.chain_id, x.block_hash, x.log_index
    from noted_log n
    join chain_log l on (l.chain_id, l.block_hash, l.log_index) = (n.chain_id, n.block_hash, n.log_index)
    join chain_log x on x.chain_id = l.chain_id and x.tx_hash = l.tx_hash and x.taken_by is null
),
-- From what was touched up to the trade that it amends.
touched_execution (id, venue_id, execution_id, nature, corrects) as (
    select e.id, e.venue_id, e.execution_id, e.nature, e.corrects
    from pnl_touch t join execution e on e.id = t.execution
    where t.what = 'execution'
    union
    select e.id, e.venue_id, e.execution_id, e.nature, e.corrects
    from touched_execution t
    join execution e on (e.venue_id, e.execution_id) = (t.venue_id, t.corrects)
    where t.nature <> 'trade'
)
select
    f.symbol collate "C"        as symbol,
    l.block_time                as executed_at,
    l.chain_id                  as chain_id,
    l.block_number              as block_number,
    l.log_index                 as log_index,
    f.role                      as role,
    null::bigint                as order_id,
    null::bigint                as tie,
    null::bigint                as number,
    case f.side when 'BUY' then f.quantity else -f.quantity end as quantity,
    case f.side when 'BUY' then -f.usdc else f.usdc end         as cash,
    null::numeric               as price,
    fee.fee                     as fee,
    o.price                     as oracle_price,
    null::numeric               as reference_price,
    l.taken_by is null and f.quantity > 0 as is_present
from touched_log t
join chain_log l on (l.chain_id, l.block_hash, l.log_index) = (t.chain_id, t.block_hash, t.log_index)
join fill f on (f.chain_id, f.block_hash, f.log_index) = (t.chain_id, t.block_hash, t.log_index)
left join lateral (
    select -sum(c.amount) as fee
    from cash_flow c
    where c.tx_hash = l.tx_hash and c.kind in ('commission', 'regulatory', 'gas', 'rebate', 'other cost')
        and (l.log_index, f.role) = (
            select x.log_index, g.role
            from chain_log x
            join fill g on (g.chain_id, g.block_hash, g.log_index) = (x.chain_id, x.block_hash, x.log_index) and g.quantity > 0
            where x.chain_id = l.chain_id and x.tx_hash = l.tx_hash and x.taken_by is null
            order by x.log_index, g.role
            limit 1)
) fee on true
left join lateral (
    select p.price from oracle_price p
    where (p.chain_id, p.block_hash, p.log_index) = (l.chain_id, l.block_hash, l.log_index) and p.price is not null
    order by p.feed
    limit 1
) o on true
union all
select
    e.symbol collate "C", e.executed_at, null, null, null, null, e.order_id,
    case when e.execution_id ~ '^[0-9]{1,18}$' then e.execution_id::bigint
        else ('x' || left(md5(e.execution_id), 15))::bit(60)::bigint end,
    e.id,
    e.quantity + coalesce(a.quantity, 0),
    e.cash + coalesce(a.cash, 0),
    case when a.quantity is null then e.price end,
    fee.fee, null, h.reference_price,
    h.id is not null and e.quantity + coalesce(a.quantity, 0) <> 0
from touched_execution t
join execution e on e.id = t.id
left join hedge_order h on h.id = e.order_id
left join lateral (
    with recursive amendment (execution_id, quantity, cash) as (
        select x.execution_id, x.quantity, x.cash
        from execution x
        where x.venue_id = e.venue_id and x.corrects = e.execution_id and x.nature <> 'trade'
        union
        select x.execution_id, x.quantity, x.cash
        from amendment m
        join execution x on x.venue_id = e.venue_id and x.corrects = m.execution_id and x.nature <> 'trade'
    )
    select sum(quantity) as quantity, sum(cash) as cash from amendment
) a on true
left join lateral (
    select -sum(c.amount) as fee
    from cash_flow c
    where (c.venue_id, c.execution_id) = (e.venue_id, e.execution_id)
        and c.kind in ('commission', 'regulatory', 'gas', 'rebate', 'other cost')
) fee on true
where t.nature = 'trade'
