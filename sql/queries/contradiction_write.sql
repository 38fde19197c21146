-- No row: two answers that could not both be true; the same again is counted.
insert into node_contradiction (chain_id, source_id, block_number, block_hash, node, said, against, against_said, found_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict on constraint a_contradiction_is_told_once
do update set times = node_contradiction.times + 1, found_last_at = now()
