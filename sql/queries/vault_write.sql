-- No row: a vault of ours that became known; what it was known by first stays.
insert into vault (source_id, owner, token, vault_id, found_by, block_number)
values ($1, $2, $3, $4, $5, $6)
on conflict do nothing
