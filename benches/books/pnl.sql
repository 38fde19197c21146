-- Books that are full: three of five trades are fills, two are executions, over a year; of many shares
-- each, with 18 decimals, sides that turn, and positions that stay near flat.
begin;
set local session_replication_role = replica;
create temp table traded on commit drop as
select n, 'S' || lpad((n % {shares})::text, 4, '0') as symbol,
    '2025-11-01Z'::timestamptz + n * (interval '365 days' / {trades}) as at,
    case when hashint8(n) % 2 = 0 then 1 else -1 end as sign,
    round(0.1 + abs(hashint8(n * 7)) / 1000000007.0, 18) as q,
    round(100 + abs(hashint8(n * 13)) / 400000000.0, 6) as p
from generate_series(0::bigint, {trades} - 1) n;
insert into chain_log (chain_id, block_hash, log_index, source_id, block_number, block_time, tx_hash, tx_index, topics, data)
select 8453, sha256(int8send(n / 20)), n % 20, 1, n / 20, at, sha256(int8send(-1 - n)), 0, '', '' from traded where n % 5 < 3;
insert into fill (chain_id, block_hash, log_index, role, owner, side, symbol, token, token_quantity, token_quantity_exact,
    usdc, usdc_exact, wrapper_ratio, quantity, price)
select 8453, sha256(int8send(n / 20)), n % 20, 'order', repeat('o', 20)::bytea, case sign when 1 then 'BUY' else 'SELL' end, symbol,
    repeat('t', 20)::bytea, q, q, trunc(q * p, 6), q * p, 1, q, p
from traded where n % 5 < 3;
insert into venue (name, broker, environment) values ('alpaca', 'alpaca', 'paper');
insert into hedge_order (id, venue_id, client_order_id, purpose, symbol, side, quantity, terms, fence, state, filled, why,
    reference_price, reference_source, reference_at, sent_at, closed_at)
overriding system value
select s + 1, 1, 'bench-' || s, 'hedge', 'S' || lpad(s::text, 4, '0'), 'BUY', 1, 'market', 1, 'closed', 1, 'filled', 100, 'quote', now(), now(), now()
from generate_series(0, {shares} - 1) s;
insert into execution (venue_id, execution_id, order_id, symbol, nature, quantity, price, cash, executed_at)
select 1, n::text, n % {shares} + 1, symbol, 'trade', sign * round(q, 9), round(p, 2), -sign * round(round(q, 9) * round(p, 2), 18), at
from traded where n % 5 >= 3;
commit;
