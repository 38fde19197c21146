-- No row: what a transaction cost, and who paid.
insert into gas (tx_hash, block_hash, chain_id, block_number, block_time, payer, used, price, l1_fee)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict do nothing
