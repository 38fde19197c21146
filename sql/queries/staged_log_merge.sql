-- No row: new logs are written; one that a reorg took and the chain took up again is canonical again.
insert into chain_log (chain_id, block_hash, log_index, source_id, block_number, block_time, tx_hash, tx_index, topics, data)
select * from incoming_log
on conflict (chain_id, block_hash, log_index) do update set taken_by = null
where chain_log.taken_by is not null
