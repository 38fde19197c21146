-- One row per cursor whose block is not on record with that number and time: the
-- next start could not tell whether the chain has changed its mind.
select s.name as source, c.number, '0x' || encode(c.hash, 'hex') as hash, b.number as recorded_number
from cursor c
join source s on s.id = c.source_id
left join chain_block b on b.chain_id = s.chain_id and b.hash = c.hash
where (b.number, b.block_time) is distinct from (c.number, c.block_time)
order by source;
