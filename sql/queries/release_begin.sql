-- No row: from now on the fills of a source count from this block.
insert into release as r (source_id, from_block, to_block, closed_to) values ($1, $2::bigint, $2::bigint - 1, $2::bigint - 1)
on conflict (source_id) do update
set from_block = excluded.from_block, closed_to = excluded.closed_to, to_block = greatest(r.to_block, excluded.to_block)
