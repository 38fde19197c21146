-- No row: what a token says of itself; it never changes.
insert into token (chain_id, address, symbol, decimals) values ($1, $2, $3, $4) on conflict do nothing
