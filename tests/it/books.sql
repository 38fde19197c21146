-- Small sound books: one source, read from block 100 to 103, hedged from block 101 on. Block 101 held a fill that a
-- reorg took; 102 holds the same trade, mined again; 103 a deposit and a log that was skipped.
insert into source (name, chain_id, kind, address, owners, from_block)
values ('raindex', 8453, 'raindex-v6', repeat('a', 20)::bytea, array[repeat('o', 20)::bytea], 100);
insert into token (chain_id, address, symbol, decimals) values (8453, repeat('t', 20)::bytea, 'wtAAPL', 18);
insert into reorg (source_id, cause, fork_number, fork_hash, old_number, old_hash, new_hash, logs_taken, happened_at)
values (1, 'chain', 100, repeat('0', 32)::bytea, 101, repeat('x', 32)::bytea, repeat('1', 32)::bytea, 1, '2026-03-08 05:00:02.25Z');
insert into chain_log
    (chain_id, block_hash, log_index, source_id, block_number, block_time, tx_hash, tx_index, topics, data, taken_by, written_at)
values
    (8453, repeat('x', 32)::bytea, 4, 1, 101, '2026-03-08 04:59:59Z', repeat('T', 32)::bytea, 0, repeat('k', 32)::bytea, '', 1, '2026-03-08 05:00:00.5Z'),
    (8453, repeat('2', 32)::bytea, 4, 1, 102, '2026-03-08 05:00:01Z', repeat('T', 32)::bytea, 0, repeat('k', 32)::bytea, '', null, '2026-03-08 05:00:02.25Z'),
    (8453, repeat('3', 32)::bytea, 0, 1, 103, '2026-03-08 05:00:03Z', repeat('U', 32)::bytea, 0, repeat('d', 32)::bytea, '', null, '2026-03-08 05:00:04Z'),
    (8453, repeat('3', 32)::bytea, 1, 1, 103, '2026-03-08 05:00:03Z', repeat('U', 32)::bytea, 0, '', '', null, '2026-03-08 05:00:04Z');
insert into log_turn (chain_id, block_hash, log_index, taken_by, happened_at)
values (8453, repeat('x', 32)::bytea, 4, 1, '2026-03-08 05:00:02.25Z');
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
insert into lease (deployment, fence, holder, taken_at, expires_at)
values ('1f3a9c2e', 3, 'desk 4711', '2026-03-08 05:00:00Z', '2026-03-08 05:00:10Z');
insert into venue (name, broker, environment, account, scanned_to)
values ('alpaca', 'alpaca', 'paper', 'account-1', '2026-03-09 13:31:00Z');
insert into go_live (source_id, from_block, reason, author, happened_at)
values (1, 101, 'rehearsed for a week', 'tester', '2026-03-08 04:00:00Z');
alter table release disable trigger a_release_is_noted;
insert into release (source_id, from_block, to_block, closed_to) values (1, 101, 103, 102);
alter table release enable trigger a_release_is_noted;
insert into release_step (source_id, to_block, released_at) values
    (1, 101, '2026-03-08 05:00:00.75Z'), (1, 100, '2026-03-08 05:00:02.25Z'), (1, 102, '2026-03-08 05:00:05Z');
insert into fill_close (source_id, symbol, quantity, last_fill)
values (1, 'AAPL', -1.51245, array[1772946001, 102, 4, 221.25, 1.51245]);
insert into opening_position (symbol, quantity, reason, author, happened_at)
values ('AAPL', -0.25, 'carried over', 'tester', '2026-03-08 04:00:00Z');
insert into halt (symbol, act, reason, author, happened_at) values
    ('TSLA', 'halt', 'earnings', 'tester', '2026-03-08 04:00:00Z'),
    (null, 'halt', 'a drill', 'tester', '2026-03-08 04:00:01Z'),
    (null, 'resume', 'the drill is over', 'tester', '2026-03-08 04:00:02Z');
insert into hedge_order (venue_id, client_order_id, purpose, symbol, side, quantity, terms, exposure, reference_price,
    reference_source, reference_at, fence, state, filled, why, broker_order_id, planned_at, sent_at, accepted_at, closed_at)
values (1, 'hedge-alpaca-paper-1f3a9c2e-0000000000000001', 'hedge', 'AAPL', 'BUY', 1, 'market', -1.76245, 146.285827630665,
    'fill', '2026-03-08 05:00:01Z', 3, 'closed', 1, 'filled', '6f0c2c0e-3d0b-4f3e-9d51-0b5b3d6f2a11',
    '2026-03-09 13:30:00Z', '2026-03-09 13:30:00.01Z', '2026-03-09 13:30:00.2Z', '2026-03-09 13:30:01Z');
insert into broker_order (venue_id, broker_order_id, order_id, filled, status, seen_at)
values (1, '6f0c2c0e-3d0b-4f3e-9d51-0b5b3d6f2a11', 1, 1, 'filled', '2026-03-09 13:30:01Z');
insert into order_event (order_id, event, state, detail, evidence, happened_at) values
    (1, 'planned', 'planned', 'BUY 1 AAPL for an exposure of -1.76245', null, '2026-03-09 13:30:00Z'),
    (1, 'closed', 'closed', 'filled: 1 of 1 filled', '{"status":"filled"}', '2026-03-09 13:30:01Z');
insert into execution (venue_id, execution_id, order_id, broker_order_id, symbol, nature, quantity, price, cash, executed_at, booked_at)
values
    (1, '20260309093000::1', 1, '6f0c2c0e-3d0b-4f3e-9d51-0b5b3d6f2a11', 'AAPL', 'trade', 1, 147.26, -147.26, '2026-03-09 13:30:00.5Z', '2026-03-09 13:30:01Z'),
    (1, '20260309093100::2', null, 'another', 'AAPL', 'trade', 5, 147, -735, '2026-03-09 13:31:00Z', '2026-03-09 13:32:00Z');
insert into cover (order_id, place, what, chain_id, block_hash, log_index, role, quantity) values
    (1, 1, 'stated', null, null, null, null, 0.25),
    (1, 2, 'fill', 8453, repeat('2', 32)::bytea, 4, 'order', 0.75);
insert into hold (symbol, reason, detail, since, seen_at)
values ('AAPL', 'below threshold', '-0.76245 AAPL, hedged from 1 share on', '2026-03-09 13:30:01Z', '2026-03-09 13:31:00Z');
-- What the fill and the execution of our order earned: known a day later than traded, and then restated for a fee.
insert into cash_flow (flow_id, kind, venue_id, symbol, amount, occurred_at, execution_id, said, booked_at)
values ('alpaca/fee-1', 'regulatory', 1, 'AAPL', -0.01, '2026-03-09 13:30:00.5Z', '20260309093000::1', '{}', '2026-03-10 05:00:00Z');
insert into mark (symbol, price, as_of, source, said_at) values ('AAPL', 147.4, '2026-03-09 20:00:00Z', 'close', '2026-03-09 20:30:00Z');
insert into pnl_run (kind, state, known_at, shares, trades, added, restated, withdrawn, said) values
    ('rebuild', 'published', '2026-03-10 00:30:00Z', 1, 2, 2, 0, 0, '2 trades'),
    ('change', 'published', '2026-03-11 00:30:00Z', 1, 1, 0, 1, 0, '1 trade');
insert into pnl_row (symbol, executed_at, trade_type, trade_id, order_id, tie, side, quantity, price, cash, realized_pnl, cumulative_pnl,
    net_position_after, book_value_after, fee, cumulative_fees, oracle_price, reference_price, run, known_from, known_to, cause, ended_by)
values
    ('AAPL', '2026-03-08 05:00:01Z', 'ONCHAIN', '8453:102:4:order', null, null, 'SELL', 1.51245, 146.285827630665476545, 221.25, null, 0,
        -1.51245, -221.25, 0, 0, 146.5, null, 1, '2026-03-10 00:30:00Z', null, null, null),
    ('AAPL', '2026-03-09 13:30:00.5Z', 'OFFCHAIN', '1', 1, 7, 'BUY', 1, 147.26, 147.26, -0.974172369334523455, -0.974172369334523455,
        -0.51245, -74.964172369334523455, 0, 0, null, 146.285827630665, 1, '2026-03-10 00:30:00Z', '2026-03-11 00:30:00Z', null, 'restated'),
    ('AAPL', '2026-03-09 13:30:00.5Z', 'OFFCHAIN', '1', 1, 7, 'BUY', 1, 147.26, 147.26, -0.974172369334523455, -0.974172369334523455,
        -0.51245, -74.964172369334523455, 0.01, 0.01, null, 146.285827630665, 2, '2026-03-11 00:30:00Z', null, 'OFFCHAIN 1', null);
insert into pnl_match (symbol, closed_at, closing_type, closing_id, opened_at, opening_type, opening_id, quantity, opening_cash, closing_cash,
    pnl, bucket, edge, drift, slippage)
values ('AAPL', '2026-03-09 13:30:00.5Z', 'OFFCHAIN', '1', '2026-03-08 05:00:01Z', 'ONCHAIN', '8453:102:4:order', 1, 146.285827630665476545, 147.26,
    -0.974172369334523455, 'directional', -0.214172369334523455, 0.214172369335, -0.974172369335);
insert into open_lot (symbol, position, opening_type, opening_id, opened_at, side, quantity, cost)
values ('AAPL', 0, 'ONCHAIN', '8453:102:4:order', '2026-03-08 05:00:01Z', 'SHORT', 0.51245, 74.964172369334523455);
insert into pnl_day (symbol, et_date, trades, bought_quantity, bought_cash, sold_quantity, sold_cash, onchain_netting, counter_trade, directional,
    attributed, edge, drift, slippage, unattributed, fees, net_after, closing_net, closing_book)
values
    ('AAPL', '2026-03-08', 1, 0, 0, 1.51245, 221.25, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1.51245, -1.51245, -221.25),
    ('AAPL', '2026-03-09', 1, 1, 147.26, 0, 0, 0, 0, -0.974172369334523455, -0.974172369334523455, -0.214172369334523455, 0.214172369335,
        -0.974172369335, 0, 0.01, -0.51245, -0.51245, -74.964172369334523455);
insert into pnl_statement (et_date, symbol, known_at, opening_net, opening_book, opening_market, opening_mark, opening_mark_at, opening_mark_source,
    opening_mark_is_stale, closing_net, closing_book, closing_market, mark, mark_at, mark_source, mark_is_stale, trades, bought_quantity, bought_cash,
    sold_quantity, sold_cash, onchain_netting, counter_trade, directional, attributed, edge, drift, slippage, costs, income, net_pnl, restated, banked)
values ('2026-03-09', 'AAPL', '2026-03-10 00:31:00Z', -1.51245, -221.25, -222.33015, 147, '2026-03-07 21:00:00Z', 'close', false,
    -0.51245, -74.964172369334523455, -75.53513, 147.4, '2026-03-09 20:00:00Z', 'close', false, 1, 1, 147.26, 0, 0, 0, 0, -0.974172369334523455,
    -0.974172369334523455, -0.214172369334523455, 0.214172369335, -0.974172369335, 0, 0, -0.46498, 0, -0.974172369334523455);
insert into recon_run (business_date, attempt, started_at, finished_at, status, passes, input_digest, output_digest,
    open_breaks, unexplained, code_version, said)
values ('2026-03-09', 1, '2026-03-10 00:30:00Z', '2026-03-10 00:31:05Z', 'COMPLETE', 1, repeat('i', 32)::bytea, repeat('o', 32)::bytea,
    1, 1, '0.1.0', '1 open break; 2 balances judged');
insert into recon_pass (run_id, pass, inputs, input_digest, output_digest)
values (1, 1, '{}', repeat('i', 32)::bytea, repeat('o', 32)::bytea);
insert into recon_cut (run_id, source, as_of, block_number, block_hash, read_started, read_finished, completeness) values
    (1, 'alpaca', '2026-03-10 00:31:02Z', null, null, '2026-03-10 00:31:01Z', '2026-03-10 00:31:04Z', 'WHOLE'),
    (1, 'raindex', '2026-03-08 05:00:03Z', 103, repeat('3', 32)::bytea, '2026-03-10 00:31:00Z', '2026-03-10 00:31:01Z', 'WHOLE');
insert into recon_answer (run_id, place, source, request, status, said, sha256)
values (1, 0, 'alpaca', 'GET /v2/positions', 200, '[]', sha256('[]'::bytea));
insert into recon_leg (run_id, leg, account, instrument, expected, reported, residual, explained, unexplained, price, candidates) values
    (1, 'broker', 'alpaca', 'AAPL', 1, 5.75, 4.75, 5, -0.25, 147.4, array['execution/alpaca/x is as large, and booked']),
    (1, 'vault', 'raindex/0x6f/0x74/0x69', 'USDC', 221.25, 221.25, 0, 0, 0, 1, '{}');
insert into recon_explanation (run_id, pass, place, leg, account, instrument, class, amount, refs, deadline, detail, tolerated)
values (1, 1, 0, 'broker', 'alpaca', 'AAPL', 'EXTERNAL_ACTIVITY', 5, array['execution/alpaca/20260309093100::2'],
    '2026-03-11 04:00:00Z', '5 AAPL at alpaca, of no order of ours', false);
insert into recon_exposure (run_id, symbol, net, pending, remains, value_usd, within) values (1, 'AAPL', -0.76245, 0, -0.76245, -112.38513, true);
insert into recon_ratio (run_id, source, token, symbol, held, ratio, block_number)
values (1, 'raindex', repeat('t', 20)::bytea, 'AAPL', 0.5, 1.0083, 103);
insert into recon_inventory (run_id, instrument, onchain, at_brokers, ratio, target, deviation, move_quantity) values
    (1, 'AAPL', 0.5, 5.75, 0.08, 0.5, 0.2, 2.625),
    (1, 'USD', 221.25, 221.25, 0.5, 0.5, 0.3, 0);
insert into recon_break (key, leg, account, instrument, class, stuck, state, quantity, cash, deadline, first_seen, changed_at, refs, detail, acknowledged_until) values
    (repeat('a', 32)::bytea, 'broker', 'alpaca', 'AAPL', 'EXTERNAL_ACTIVITY', false, 'EXPLAINED', 5, -735, '2026-03-11 04:00:00Z',
     '2026-03-10 00:31:05Z', '2026-03-10 00:31:05Z', array['execution/alpaca/20260309093100::2'], '5 AAPL at alpaca, of no order of ours', null),
    (repeat('b', 32)::bytea, 'broker', 'alpaca', 'AAPL', 'UNEXPLAINED', false, 'ACKNOWLEDGED', -0.25, null, null,
     '2026-03-10 00:31:05Z', '2026-03-10 13:00:00Z', '{}', 'nothing with an id explains it', '2026-03-12 04:00:00Z');
insert into recon_break_event (break_id, run_id, event, state, quantity, cash, until, reason, author, happened_at) values
    (1, 1, 'opened', 'OPEN', 5, -735, '2026-03-11 04:00:00Z', null, null, '2026-03-10 00:31:05Z'),
    (2, 1, 'opened', 'OPEN', -0.25, null, null, null, null, '2026-03-10 00:31:05Z'),
    (1, 1, 'explained', 'EXPLAINED', 5, -735, '2026-03-11 04:00:00Z', null, null, '2026-03-10 00:31:05Z'),
    (2, null, 'acknowledged', 'ACKNOWLEDGED', -0.25, null, '2026-03-12 04:00:00Z', 'the broker looks into it', 'tester', '2026-03-10 13:00:00Z');
insert into account_entry (kind, leg, account, instrument, amount, as_of, refs, reason, author, happened_at)
values ('opening', 'cash', 'alpaca', 'USD', 1000000, '2026-03-08 04:00:00Z', '{}', 'the first night', 'tester', '2026-03-08 04:00:00Z');
