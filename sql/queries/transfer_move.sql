-- One row where the log of this natural key is a deposit or a withdrawal: what its vault gained.
select m.owner, m.token, m.amount, l.block_time
from vault_move m
join chain_log l using (chain_id, block_hash, log_index)
where l.taken_by is null and l.chain_id::text = split_part($1, ':', 1)
    and '0x' || encode(l.tx_hash, 'hex') = lower(split_part($1, ':', 2)) and l.log_index::text = split_part($1, ':', 3)
