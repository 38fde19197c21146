-- One row per canonical log that its source's cursor has not reached: the cursor
-- moves in the transaction that writes the log, so there can be none.
select s.name as source, l.block_number, '0x' || encode(l.tx_hash, 'hex') as tx_hash, l.log_index, c.number as cursor
from chain_log l
join source s on s.id = l.source_id
left join cursor c on c.source_id = l.source_id
where l.taken_by is null
    and (c.number is null or l.block_number > c.number)
order by source, block_number, log_index;
