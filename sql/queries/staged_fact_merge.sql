-- No row: facts of staged logs; what stands already stands.
with
    fills as (insert into fill select * from incoming_fill on conflict do nothing),
    moves as (insert into vault_move select * from incoming_move on conflict do nothing)
insert into skipped_log (chain_id, block_hash, log_index, role, reason, detail)
select * from incoming_skip
on conflict do nothing
