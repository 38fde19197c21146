-- No row: a source that is new is written down, one that is known stays. Whoever else writes it down just now is waited for.
insert into source (name, chain_id, kind, address, owners, from_block)
values ($1, $2, $3, $4, $5, $6)
on conflict do nothing
