-- One row per cursor that does not stand on the end of its source's last range, number
-- and hash: the next start would compare the chain with a block that was never read.
select
    s.name as source,
    c.number,
    '0x' || encode(c.hash, 'hex') as hash,
    r.to_block as range_end,
    '0x' || encode(r.to_hash, 'hex') as range_hash
from cursor c
join source s on s.id = c.source_id
left join lateral (
    select to_block, to_hash
    from block_range
    where source_id = c.source_id
    order by from_block desc
    limit 1
) r on true
where c.number >= s.from_block
    and (r.to_block, r.to_hash) is distinct from (c.number, c.hash)
order by source;
