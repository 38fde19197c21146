-- No row: fills are released up to where they lie deep enough and are believed well enough.
-- `$2` is how deep: latest, safe, finalized, or a number of blocks in `$3`. A node that does
-- not know of finality is taken at 64 blocks.
update release r
set to_block = greatest(r.to_block, least(
    c.number,
    case $2::text
        when 'latest'    then c.number
        when 'safe'      then coalesce(c.safe, c.number - 64)
        when 'finalized' then coalesce(c.finalized, c.number - 64)
        else c.head - $3::bigint
    end,
    (select min(b.from_block) - 1 from block_range b
     where b.source_id = $1 and b.to_block > r.to_block and b.to_block >= r.from_block and b.verdict <> all ($4::text[]))))
from cursor c
where r.source_id = $1 and c.source_id = $1
