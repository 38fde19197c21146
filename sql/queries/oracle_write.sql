-- No row: what a price feed said at a fill, or that it is not to be known.
insert into oracle_price (chain_id, block_hash, log_index, feed, method, price, confidence, published_at, missing, read_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict do nothing
