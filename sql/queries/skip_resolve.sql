-- One row a skipped side of a log that has given its fact since.
insert into skipped_log_act (skipped_id, act, reason, author)
select k.id, 'redriven', 'it gave its fact', $2
from skipped_log k
join chain_log l on (l.chain_id, l.block_hash, l.log_index) = (k.chain_id, k.block_hash, k.log_index)
where l.source_id = $1
  and not exists (select from skipped_log_act a where a.skipped_id = k.id)
  and (exists (select from fill f
               where (f.chain_id, f.block_hash, f.log_index) = (k.chain_id, k.block_hash, k.log_index)
                 and k.role in ('', f.role))
       or exists (select from vault_move m
                  where (m.chain_id, m.block_hash, m.log_index) = (k.chain_id, k.block_hash, k.log_index)))
