-- One row: a fill of the first share that nobody had seen, in the midst of its history.
begin;
insert into chain_log (chain_id, block_hash, log_index, source_id, block_number, block_time, tx_hash, tx_index, topics, data)
select 8453, sha256('late'), 0, 1, 1,
    (select percentile_disc(0.5) within group (order by executed_at) from pnl_row where symbol = 'S0000'), sha256('late tx'), 0, '', '';
insert into fill (chain_id, block_hash, log_index, role, owner, side, symbol, token, token_quantity, token_quantity_exact,
    usdc, usdc_exact, wrapper_ratio, quantity, price)
values (8453, sha256('late'), 0, 'order', repeat('o', 20)::bytea, 'SELL', 'S0000', repeat('t', 20)::bytea, 1.5, 1.5, 151, 151, 1, 1.5, 100);
commit;
