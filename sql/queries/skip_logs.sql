-- One row a canonical log of a transaction in which a skipped log is open.
select l.block_number, l.block_hash, l.log_index, l.tx_hash, l.tx_index, s.address, l.topics, l.data,
       extract(epoch from l.block_time)::bigint as block_time,
       (select count(*) from skipped_log k
        where (k.chain_id, k.block_hash, k.log_index) = (l.chain_id, l.block_hash, l.log_index)
          and not exists (select from skipped_log_act a where a.skipped_id = k.id)) as open
from chain_log l
join source s on s.id = l.source_id
where l.source_id = $1 and l.taken_by is null
  and (l.block_hash, l.tx_hash) in (
      select o.block_hash, o.tx_hash
      from skipped_log k
      join chain_log o on (o.chain_id, o.block_hash, o.log_index) = (k.chain_id, k.block_hash, k.log_index)
      where o.source_id = $1 and o.taken_by is null
        and not exists (select from skipped_log_act a where a.skipped_id = k.id))
order by l.block_number, l.log_index
