-- No row: tables of this connection, for rows that may be known already.
create temp table if not exists incoming_log on commit delete rows as
    select chain_id, block_hash, log_index, source_id, block_number, block_time, tx_hash, tx_index, topics, data
    from chain_log with no data;
create temp table if not exists incoming_fill on commit delete rows as
    select * from fill with no data;
create temp table if not exists incoming_move on commit delete rows as
    select * from vault_move with no data;
create temp table if not exists incoming_skip on commit delete rows as
    select chain_id, block_hash, log_index, role, reason, detail from skipped_log with no data;
