-- One row per transaction of a chain whose cost is to be booked, and per one whose booked cost is to be taken back:
-- its block is the chain's no more, or who paid for it is none of ours. Booked under `gas/CHAIN/TX/BLOCK/…`.
with paid as (
    select g.* from gas g join gas_payer p on (p.chain_id, p.address) = (g.chain_id, g.payer) where g.chain_id = $1
    union
    select g.* from gas g
    join cash_flow c on c.tx_hash = g.tx_hash and c.kind = 'gas' and starts_with(c.flow_id, 'gas/')
    where g.chain_id = $1
),
stands as (
    select g.*,
        exists (select from gas_payer p where (p.chain_id, p.address) = (g.chain_id, g.payer))
            and exists (
                select from chain_log l
                where (l.chain_id, l.tx_hash, l.block_hash) = (g.chain_id, g.tx_hash, g.block_hash) and l.taken_by is null
            ) as stands
    from paid g
)
select g.tx_hash, g.block_hash, g.block_number, g.block_time, g.payer, g.used, g.price, g.l1_fee, g.stands,
    e.price as ether_price, e.published_at, b.amount as booked, b.times
from stands g
left join ether_price e on (e.chain_id, e.block_hash, e.feed) = (g.chain_id, g.block_hash, $2)
cross join lateral (
    select coalesce(sum(c.amount), 0)::numeric(38,18) as amount, count(*) as times
    from cash_flow c
    where c.tx_hash = g.tx_hash and c.kind = 'gas'
        and starts_with(c.flow_id, format('gas/%s/0x%s/0x%s/', g.chain_id, encode(g.tx_hash, 'hex'), encode(g.block_hash, 'hex')))
) b
where case when g.stands then b.amount = 0 and g.eth > 0 and e.price is not null else b.amount <> 0 end
order by g.block_number, g.tx_hash
