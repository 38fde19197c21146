-- No row: what ETH was worth at the end of a block, or that it could not be read; what is known stays.
insert into ether_price (chain_id, block_hash, feed, price, published_at, missing, asked_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (chain_id, block_hash, feed) do update
set price = excluded.price, published_at = excluded.published_at, missing = excluded.missing,
    asked_at = excluded.asked_at, attempts = ether_price.attempts + 1
where ether_price.price is null
