-- Books that are full: blocks of fills of many shares, all read, believed and hedged from the
-- first block on; the last 256 blocks are not final.
begin;
set local session_replication_role = replica;
insert into chain_log (chain_id, block_hash, log_index, source_id, block_number, block_time, tx_hash, tx_index, topics, data)
select 8453, sha256(int8send(n / {fills_a_block})), n % {fills_a_block}, 1, n / {fills_a_block},
    '2026-01-01Z'::timestamptz + (n / {fills_a_block}) * interval '2 seconds', sha256(int8send(-1 - n)), 0, '', ''
from generate_series(0::bigint, {fills} - 1) n;
insert into fill (chain_id, block_hash, log_index, role, owner, side, symbol, token, token_quantity, token_quantity_exact,
    usdc, usdc_exact, wrapper_ratio, quantity, price)
select 8453, sha256(int8send(n / {fills_a_block})), n % {fills_a_block}, 'order', repeat('o', 20)::bytea,
    case when n % 7 < 4 then 'SELL' else 'BUY' end, 'S' || lpad((n % {symbols})::text, 4, '0'), repeat('t', 20)::bytea,
    q, q, round(q * 100, 6), round(q * 100, 6), 1, q, 100
from generate_series(0::bigint, {fills} - 1) n, lateral (select round(0.1 + (n % 97) / 31.0, 9) as q) q;
insert into block_range (source_id, from_block, to_block, to_hash, verdict, node, logs, foreign_logs)
values (1, 0, {blocks}, sha256('end'), 'proved', 'a node', {fills}, 0);
insert into cursor (source_id, number, hash, block_time, head, safe, finalized)
values (1, {blocks}, sha256('end'), now(), {blocks}, {blocks}, {blocks} - 256);
insert into go_live (source_id, from_block, reason, author) values (1, 0, 'a bench', 'a bench');
commit;
