-- No row: a price feed was asked in vain, and is asked again.
insert into oracle_attempt (chain_id, block_hash, log_index, feed, why, again_at) values ($1, $2, $3, $4, $5, $6)
on conflict (chain_id, block_hash, log_index, feed) do update
set attempts = oracle_attempt.attempts + 1, why = excluded.why, again_at = excluded.again_at
