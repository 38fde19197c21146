-- No row: headers we rely on.
insert into chain_block (chain_id, hash, number, parent_hash, block_time)
select $1, hash, number, parent_hash, to_timestamp(block_time)
from unnest($2::bytea[], $3::bigint[], $4::bytea[], $5::bigint[]) as header (hash, number, parent_hash, block_time)
on conflict do nothing
