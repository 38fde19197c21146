-- One row per range of blocks as it was read, newest first.
select *
from reporting.block_range
where ($1::text is null or source = $1)
order by source, from_block desc
limit $2::bigint
