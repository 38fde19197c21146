-- No row: what an order covers.
insert into cover (order_id, place, what, chain_id, block_hash, log_index, role, execution, quantity)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
