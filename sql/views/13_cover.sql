-- One row per part of an order: which exposure it hedges, and how much of that is filled.
create view reporting.cover as
select
    c.order_id,
    c.place,
    o.symbol,
    o.side,
    c.what,
    c.quantity,
    greatest(least(c.quantity, o.filled - (sum(c.quantity) over so_far - c.quantity)), 0) as covered,
    f.source,
    f.tx_hash,
    f.log_index,
    f.role,
    f.block_number,
    f.executed_at                                           as filled_onchain_at,
    c.execution                                             as execution_number
from cover c
join hedge_order o on o.id = c.order_id
left join lateral (
    select s.name as source, '0x' || encode(l.tx_hash, 'hex') as tx_hash, c.log_index, c.role, l.block_number,
        l.block_time as executed_at
    from chain_log l join source s on s.id = l.source_id
    where l.chain_id = c.chain_id and l.block_hash = c.block_hash and l.log_index = c.log_index
) f on c.what = 'fill'
window so_far as (partition by c.order_id order by c.place);

comment on view reporting.cover is
    'One row per part of an order: which exposure it hedges, oldest first, and how much of that its executions have filled.';
comment on column reporting.cover.order_id is 'Number of the order.';
comment on column reporting.cover.place is 'Place of the part in the order of filling, from 1.';
comment on column reporting.cover.symbol is 'Ticker of the share.';
comment on column reporting.cover.side is 'Side of the order: BUY covers what was sold on chain.';
comment on column reporting.cover.what is 'fill: a fill on chain; execution: one of our own, undone; stated: an opening position or a correction.';
comment on column reporting.cover.quantity is 'Shares of it that the order is for, above zero.';
comment on column reporting.cover.covered is 'Shares of that which are filled, never negative.';
comment on column reporting.cover.source is 'Source of the fill. NULL where the part is no fill.';
comment on column reporting.cover.tx_hash is 'Transaction of the fill; 0x and 64 lower-case hex digits. NULL where the part is no fill.';
comment on column reporting.cover.log_index is 'Place of the fill''s log in its block. NULL where the part is no fill.';
comment on column reporting.cover.role is 'Which side of the log the fill is. NULL where the part is no fill.';
comment on column reporting.cover.block_number is 'Block of the fill. NULL where the part is no fill.';
comment on column reporting.cover.filled_onchain_at is 'Time of that block, UTC. NULL where the part is no fill.';
comment on column reporting.cover.execution_number is 'The execution of ours that is undone. NULL where the part is none.';
