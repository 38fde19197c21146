-- No row: what a share nets to, and what is stated of it, is written.
insert into imported_position (import_id, symbol, net, accumulator, stated, said) values ($1, $2, $3, $4, $5, $6)
