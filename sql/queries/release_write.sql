-- No row: a source that the hedger has not met yet releases its fills from here on.
insert into release (source_id, from_block, to_block, closed_to)
select $1, b.from_block, b.from_block - 1, b.from_block - 1
from (select coalesce((select from_block from go_live where source_id = $1), $2::bigint) as from_block) b
on conflict (source_id) do nothing
