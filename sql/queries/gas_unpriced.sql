-- One row per canonical block of a chain in which a payer of ours paid and of which it is not known what ETH was
-- worth; those that were asked for least come first. $3: asked for again only if it was before then.
select g.block_number, g.block_hash
from gas g
join gas_payer p on (p.chain_id, p.address) = (g.chain_id, g.payer)
left join ether_price e on (e.chain_id, e.block_hash, e.feed) = (g.chain_id, g.block_hash, $2)
where g.chain_id = $1 and g.eth > 0 and e.price is null and (e.asked_at is null or e.asked_at < $3)
    and exists (
        select from chain_log l
        where (l.chain_id, l.tx_hash, l.block_hash) = (g.chain_id, g.tx_hash, g.block_hash) and l.taken_by is null)
group by g.block_number, g.block_hash, e.attempts
order by coalesce(e.attempts, 0), g.block_number desc
limit $4
