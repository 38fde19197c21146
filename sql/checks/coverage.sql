-- One row per place where what a source has read does not cover its blocks, from its
-- first one to its cursor, exactly once: `expected` and `found` are where a range begins.
with read as (
    select source_id, from_block, to_block from block_range
    union all
    -- Where the next range would begin, were it read.
    select source_id, number + 1, null from cursor
),
seam as (
    select
        s.name as source,
        coalesce(lag(r.to_block) over (partition by r.source_id order by r.from_block) + 1, s.from_block) as expected,
        r.from_block as found
    from read r
    join source s on s.id = r.source_id
)
select source, expected, found
from seam
where found <> expected
order by source, found;
