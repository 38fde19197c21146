-- Small sound books: one source, read from block 100 to 103. Block 101 held a fill that a
-- reorg took; 102 holds the same trade, mined again; 103 a deposit and a log that was skipped.
insert into source (name, chain_id, kind, address, owners, from_block)
values ('raindex', 8453, 'raindex-v6', repeat('a', 20)::bytea, array[repeat('o', 20)::bytea], 100);
insert into token (chain_id, address, symbol, decimals) values (8453, repeat('t', 20)::bytea, 'wtAAPL', 18);
insert into reorg (source_id, cause, fork_number, fork_hash, old_number, old_hash, new_hash, logs_taken)
values (1, 'chain', 100, repeat('0', 32)::bytea, 101, repeat('x', 32)::bytea, repeat('1', 32)::bytea, 1);
insert into chain_log
    (chain_id, block_hash, log_index, source_id, block_number, block_time, tx_hash, tx_index, topics, data, taken_by)
values
    (8453, repeat('x', 32)::bytea, 4, 1, 101, '2026-03-08 04:59:59Z', repeat('T', 32)::bytea, 0, repeat('k', 32)::bytea, '', 1),
    (8453, repeat('2', 32)::bytea, 4, 1, 102, '2026-03-08 05:00:01Z', repeat('T', 32)::bytea, 0, repeat('k', 32)::bytea, '', null),
    (8453, repeat('3', 32)::bytea, 0, 1, 103, '2026-03-08 05:00:03Z', repeat('U', 32)::bytea, 0, repeat('d', 32)::bytea, '', null),
    (8453, repeat('3', 32)::bytea, 1, 1, 103, '2026-03-08 05:00:03Z', repeat('U', 32)::bytea, 0, '', '', null);
insert into fill
    (chain_id, block_hash, log_index, role, owner, side, symbol, token, token_quantity, token_quantity_exact,
     usdc, usdc_exact, wrapper_ratio, quantity, price, vault_in, vault_out)
select
    8453, block_hash, 4, 'order', repeat('o', 20)::bytea, 'SELL', 'AAPL', repeat('t', 20)::bytea, 1.5, 1.5,
    221.25, 221.25, 1.0083, 1.51245, 147.5, repeat('i', 32)::bytea, null
from chain_log where log_index = 4;
insert into vault_move (chain_id, block_hash, log_index, kind, owner, token, vault_id, amount, amount_exact)
values (8453, repeat('3', 32)::bytea, 0, 'deposit', repeat('o', 20)::bytea, repeat('t', 20)::bytea, repeat('v', 32)::bytea, 2, 2);
insert into skipped_log (chain_id, block_hash, log_index, role, reason, detail)
values (8453, repeat('3', 32)::bytea, 1, '', 'decode', 'it has no topic');
insert into block_range (source_id, from_block, to_block, to_hash, verdict, node, logs, foreign_logs)
values
    (1, 100, 101, repeat('1', 32)::bytea, 'proved', 'node-a', 0, 2),
    (1, 102, 103, repeat('3', 32)::bytea, 'bloom', 'node-a', 3, 0);
insert into cursor (source_id, number, hash, block_time, head, safe, looked_at)
values (1, 103, repeat('3', 32)::bytea, '2026-03-08 05:00:03Z', 110, 101, '2026-03-08 05:00:17Z');
