-- Books that are full: {fills} fills of {symbols} shares in {days} days up to now, each four of a share hedged by
-- an order, with the P&L, the statements and the reconciliations that come of them.
begin;
set local session_replication_role = replica;
set local synchronous_commit = off;
insert into venue (name, broker, environment, scanned_to) values ('alpaca', 'alpaca', 'paper', now());
create temp table told on commit drop as
select n, n / 20 as block, n % {symbols} as share, n / {symbols} as nth,
    now() - {days} * interval '1 day' + n * ({days} * interval '1 day' / {fills}) as at,
    'S' || lpad((n % {symbols})::text, 4, '0') as symbol, (n / {symbols} / 4) * {symbols} + n % {symbols} + 1 as order_id,
    case when n / {symbols} / 4 % 2 = 0 then 1 else -1 end as sign, round(0.1 + (n % 97) / 31.0, 9) as quantity
from generate_series(0::bigint, {fills} - 1) n;
insert into chain_log (chain_id, block_hash, log_index, source_id, block_number, block_time, tx_hash, tx_index, topics, data, written_at)
select 8453, sha256(int8send(block)), n % 20, 1, block, at, sha256(int8send(-1 - n)), 0, '', '', at + interval '1.5 seconds' from told;
insert into fill (chain_id, block_hash, log_index, role, owner, side, symbol, token, token_quantity, token_quantity_exact,
    usdc, usdc_exact, wrapper_ratio, quantity, price)
select 8453, sha256(int8send(block)), n % 20, 'order', repeat('o', 20)::bytea, case when sign < 0 then 'SELL' else 'BUY' end,
    symbol, repeat('t', 20)::bytea, quantity, quantity, round(quantity * 100, 6), round(quantity * 100, 6), 1, quantity, 100
from told;
insert into release_step (source_id, to_block, released_at)
select 1, block, max(at) + interval '4 seconds' from told group by block order by block;
insert into release (source_id, from_block, to_block, closed_to) select 1, 0, max(block), max(block) from told;
insert into fill_close (source_id, symbol, quantity, last_fill)
select 1, symbol, sum(sign * quantity), max(array[extract(epoch from at), block, n % 20, round(quantity * 100, 6), quantity])
from told group by symbol;
insert into go_live (source_id, from_block, reason, author) values (1, 0, 'a bench', 'a bench');
insert into block_range (source_id, from_block, to_block, to_hash, verdict, node, logs, foreign_logs)
select 1, 0, max(block), sha256('end'), 'proved', 'a node', {fills}, 0 from told;
insert into cursor (source_id, number, hash, block_time, head, safe, finalized)
select 1, max(block), sha256('end'), now(), max(block), max(block), max(block) - 256 from told;
insert into hedge_order (id, venue_id, client_order_id, purpose, symbol, side, quantity, terms, exposure, fence, state, filled, why,
    broker_order_id, planned_at, sent_at, accepted_at, closed_at)
overriding system value
select order_id, 1, 'bench-' || order_id, 'hedge', symbol, case when sign < 0 then 'BUY' else 'SELL' end, sum(quantity), 'market',
    sum(quantity * sign), 1, 'closed', sum(quantity), 'filled', 'b' || order_id, max(at) + interval '5 seconds',
    max(at) + interval '5.01 seconds', max(at) + interval '5.2 seconds', max(at) + interval '6 seconds'
from told group by order_id, symbol, sign;
insert into execution (id, venue_id, execution_id, order_id, broker_order_id, symbol, nature, quantity, price, cash, executed_at, booked_at)
overriding system value
select id, 1, 'x' || id, id, broker_order_id, symbol, 'trade', case side when 'BUY' then quantity else -quantity end, 100.1,
    round(case side when 'BUY' then -quantity else quantity end * 100.1, 18), sent_at + interval '0.5 seconds', closed_at
from hedge_order order by id;
insert into order_event (order_id, event, state, detail, happened_at)
select id, 'planned', 'planned', 'a bench', planned_at from hedge_order
union all select id, 'sent', 'sent', 'a bench', sent_at from hedge_order
union all select id, 'closed', 'closed', 'a bench', closed_at from hedge_order;
insert into cover (order_id, place, what, chain_id, block_hash, log_index, role, quantity)
select order_id, nth % 4 + 1, 'fill', 8453, sha256(int8send(block)), n % 20, 'order', quantity from told order by order_id, nth;
insert into pnl_row (symbol, executed_at, trade_type, trade_id, order_id, tie, side, quantity, price, cash, realized_pnl, cumulative_pnl,
    net_position_after, book_value_after, fee, cumulative_fees, run, known_from)
select symbol, at, 'ONCHAIN', '8453:' || block || ':' || n % 20 || ':order', null, null, case when sign < 0 then 'SELL' else 'BUY' end,
    quantity, 100, round(quantity * 100, 6), null, nth * 0.01, sign * quantity, 100 * sign * quantity, 0, 0, 1, at from told
union all
select symbol, executed_at, 'OFFCHAIN', id::text, order_id, 0, case when quantity > 0 then 'BUY' else 'SELL' end,
    abs(quantity), price, abs(cash), 0.1, id * 0.01, 0, 0, 0.01, 0.01, 1, executed_at from execution
order by 1, 2;
insert into pnl_match (symbol, closed_at, closing_type, closing_id, opened_at, opening_type, opening_id, quantity, opening_cash,
    closing_cash, pnl, bucket, edge, drift, slippage)
select symbol, at + interval '5.51 seconds', 'OFFCHAIN', order_id::text, at, 'ONCHAIN', '8453:' || block || ':' || n % 20 || ':order',
    quantity, 100 * quantity, 100.1 * quantity, 0.1, 'counter_trade', 0.12, -0.01, -0.01
from told order by 1, 2;
insert into pnl_day
select symbol, (at at time zone 'America/New_York')::date, count(*), sum(quantity), sum(quantity) * 100, sum(quantity), sum(quantity) * 100,
    0, count(*) * 0.1, 0, count(*) * 0.1, count(*) * 0.12, count(*) * -0.01, count(*) * -0.01, 0, count(*) * 0.01, 0, 0, 0
from told group by 1, 2;
insert into pnl_statement (et_date, symbol, known_at, opening_net, opening_book, opening_market, closing_net, closing_book, closing_market,
    mark, mark_at, mark_source, mark_is_stale, trades, bought_quantity, bought_cash, sold_quantity, sold_cash, onchain_netting,
    counter_trade, directional, attributed, edge, drift, slippage, costs, income, net_pnl, restated, banked)
select et_date, symbol, now(), 0, 0, 0, 0, 0, 0, 100, now(), 'close', false, trades, bought_quantity, bought_cash, sold_quantity,
    bought_cash + counter_trade, 0, counter_trade, 0, attributed, edge, drift, slippage, 0, 0, counter_trade, 0, 0
from pnl_day;
insert into cash_flow (flow_id, kind, venue_id, symbol, amount, occurred_at, execution_id, said)
select 'fee ' || id, 'commission', 1, symbol, -0.01, executed_at, execution_id, 'a bench' from execution where id % 10 = 0;
insert into recon_run (id, business_date, attempt, started_at, finished_at, status, passes, input_digest, output_digest, open_breaks,
    unexplained, code_version, said)
overriding system value
select row_number() over (order by et_date), et_date, 1, et_date, et_date, 'COMPLETE', 1, sha256(''), sha256(''), 0, 0, 'a bench', 'a bench'
from (select distinct et_date from pnl_day) d;
insert into recon_leg (run_id, leg, account, instrument, expected, reported, residual, explained, unexplained, price, candidates)
select r.id, l.leg, 'one', d.symbol, 1, 1, 0, 0, 0, 100, '{}'
from pnl_day d join recon_run r on r.business_date = d.et_date cross join (values ('vault'), ('broker'), ('wallet')) l (leg);
insert into recon_break (key, leg, account, instrument, class, stuck, state, quantity, first_seen, changed_at, refs, detail)
select sha256(int8send(n)), 'broker', 'one', 'S' || lpad((n % {symbols})::text, 4, '0'), 'QUANTITY', false,
    case when n % 20 = 0 then 'OPEN' else 'RESOLVED' end, 1, now() - n * interval '1 hour', now(), '{}', 'a bench'
from generate_series(1::bigint, 10000) n;
insert into mark (symbol, price, as_of, source)
select symbol, 100, et_date::timestamp at time zone 'America/New_York' + interval '16 hours', 'close' from pnl_day;
commit;
