-- One row per trade that P&L is counted from: canonical fills, and executions of our orders as they
-- stand after what was corrected or taken back of them. Of an amendment the trade it amends is
-- another one, where and when that was; a trade that was taken back altogether never happened.
with recursive amendment (venue_id, execution_id, amends, quantity, cash) as (
    select venue_id, execution_id, corrects, quantity, cash from execution where nature <> 'trade'
    union
    select a.venue_id, a.execution_id, e.corrects, a.quantity, a.cash
    from amendment a
    join execution e on (e.venue_id, e.execution_id) = (a.venue_id, a.amends)
    where e.nature <> 'trade'
),
amended as (
    select venue_id, amends as execution_id, sum(quantity) as quantity, sum(cash) as cash
    from amendment group by venue_id, amends
),
execution_fee as (
    select venue_id, execution_id, -sum(amount) as fee
    from cash_flow
    where execution_id is not null and kind in ('commission', 'regulatory', 'gas', 'rebate', 'other cost')
    group by venue_id, execution_id
),
-- What a transaction cost is the fee of its first fill.
fill_fee as (
    select distinct on (l.chain_id, l.tx_hash) l.chain_id, l.block_hash, l.log_index, f.role, c.fee
    from (
        select tx_hash, -sum(amount) as fee
        from cash_flow
        where tx_hash is not null and kind in ('commission', 'regulatory', 'gas', 'rebate', 'other cost')
        group by tx_hash
    ) c
    join chain_log l on l.tx_hash = c.tx_hash and l.taken_by is null
    join fill f on (f.chain_id, f.block_hash, f.log_index) = (l.chain_id, l.block_hash, l.log_index) and f.quantity > 0
    order by l.chain_id, l.tx_hash, l.log_index, f.role
),
oracle as (
    select distinct on (chain_id, block_hash, log_index) chain_id, block_hash, log_index, price
    from oracle_price where price is not null
    order by chain_id, block_hash, log_index, feed
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
    null::numeric               as reference_price
from chain_log l
join fill f on (f.chain_id, f.block_hash, f.log_index) = (l.chain_id, l.block_hash, l.log_index)
left join fill_fee fee
    on (fee.chain_id, fee.block_hash, fee.log_index, fee.role) = (f.chain_id, f.block_hash, f.log_index, f.role)
left join oracle o on (o.chain_id, o.block_hash, o.log_index) = (l.chain_id, l.block_hash, l.log_index)
where l.taken_by is null and f.quantity > 0
union all
select
    e.symbol collate "C", e.executed_at, null, null, null, null, e.order_id,
    case when e.execution_id ~ '^[0-9]{1,18}$' then e.execution_id::bigint
        else ('x' || left(md5(e.execution_id), 15))::bit(60)::bigint end,
    e.id,
    e.quantity + coalesce(a.quantity, 0),
    e.cash + coalesce(a.cash, 0),
    case when a.execution_id is null then e.price end,
    fee.fee, null, h.reference_price
from execution e
join hedge_order h on h.id = e.order_id
left join amended a on (a.venue_id, a.execution_id) = (e.venue_id, e.execution_id)
left join execution_fee fee on (fee.venue_id, fee.execution_id) = (e.venue_id, e.execution_id)
where e.nature = 'trade' and e.quantity + coalesce(a.quantity, 0) <> 0
