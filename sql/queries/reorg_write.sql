-- One row: the number of a change of mind.
insert into reorg (source_id, cause, fork_number, fork_hash, old_number, old_hash, new_hash, reason, author)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
returning id
