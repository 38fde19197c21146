-- One row per transaction whose gas is booked as something else than what its receipt makes at a known price of ETH;
-- what was taken back comes to nothing.
select '0x' || encode(g.tx_hash, 'hex') as tx_hash, g.block_number, g.eth, b.booked
from gas g
join lateral (
    select sum(c.amount) as booked
    from cash_flow c
    where c.tx_hash = g.tx_hash and c.kind = 'gas'
        and starts_with(c.flow_id, format('gas/%s/0x%s/0x%s/', g.chain_id, encode(g.tx_hash, 'hex'), encode(g.block_hash, 'hex')))
) b on b.booked <> 0
where not exists (
    select from ether_price e
    where (e.chain_id, e.block_hash) = (g.chain_id, g.block_hash) and abs(b.booked + g.eth * e.price) < 0.000000000000000001)
