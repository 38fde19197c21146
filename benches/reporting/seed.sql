-- Books that are full: {fills} fills of {symbols} shares in {days} days up to now, each four of a share hedged by
-- an order, with the P&L, the statements and the reconciliations that come of them. Of each fifth share the last
-- four are not hedged yet: of half of them an order is working, the others are held. Some fills were taken by a
-- reorg and mined again; some rows of P&L were restated.
-- Blocks are 19 apart, as four fills a block and 9 000 a day are where a block comes every two seconds.
begin;
set local session_replication_role = replica;
set local synchronous_commit = off;
set local work_mem = '256MB';
-- Indexes are made when the rows are there, which takes a fraction of the time: whoever runs this says `reindex schema public`.
update pg_index set indisready = false, indisvalid = false where indrelid in (
    select oid from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r');
insert into venue (name, broker, environment, scanned_to) values ('alpaca', 'alpaca', 'paper', now());
create temp table told on commit drop as
select n, n / 4 * 19 as block, n % {symbols} as share, n / {symbols} as nth,
    now() - {days} * interval '1 day' + n * ({days} * interval '1 day' / {fills}) as at,
    'S' || lpad((n % {symbols})::text, 4, '0') as symbol, (n / {symbols} / 4) * {symbols} + n % {symbols} + 1 as order_id,
    case when n / {symbols} / 4 % 2 = 0 then 1 else -1 end as sign, round(0.1 + (n % 97) / 31.0, 9) as quantity,
    n % {symbols} % 5 = 0 and n / {symbols} / 4 = ({fills} - 1) / {symbols} / 4 as is_open
from generate_series(0::bigint, {fills} - 1) n;
insert into chain_log (chain_id, block_hash, log_index, source_id, block_number, block_time, tx_hash, tx_index, topics, data, written_at)
select 8453, sha256(int8send(block)), n % 4, 1, block, at, sha256(int8send(-1 - n)), 0, '', '', at + interval '1.5 seconds' from told;
insert into chain_block (chain_id, hash, number, parent_hash, block_time)
select 8453, sha256(int8send(block)), block, sha256(int8send(block - 1)), min(at) from told group by block;
insert into fill (chain_id, block_hash, log_index, role, owner, side, symbol, token, token_quantity, token_quantity_exact,
    usdc, usdc_exact, wrapper_ratio, quantity, price)
select 8453, sha256(int8send(block)), n % 4, 'order', repeat('o', 20)::bytea, case when sign < 0 then 'SELL' else 'BUY' end,
    symbol, repeat('t', 20)::bytea, quantity, quantity, round(quantity * 100, 6), round(quantity * 100, 6), 1, quantity, 100
from told;
insert into reorg (id, source_id, cause, fork_number, fork_hash, old_number, old_hash, new_hash, logs_taken, happened_at)
overriding system value
select n / 100000 + 1, 1, 'chain', min(block) - 1, sha256(int8send(min(block) - 1)), min(block), sha256(int8send(-1 - min(block))),
    sha256(int8send(min(block))), count(*), min(at) + interval '2 seconds'
from told where n % 100000 < 4 group by n / 100000;
insert into chain_log (chain_id, block_hash, log_index, source_id, block_number, block_time, tx_hash, tx_index, topics, data, taken_by, written_at)
select 8453, sha256(int8send(-1 - block)), n % 4, 1, block, at, sha256(int8send(-1 - n)), 0, '', '', n / 100000 + 1, at + interval '1 second'
from told where n % 100000 < 4;
insert into fill
select chain_id, sha256(int8send(-1 - block)), log_index, role, owner, side, f.symbol, token, token_quantity, token_quantity_exact,
    usdc, usdc_exact, wrapper_ratio, f.quantity, price
from told t join fill f on (chain_id, block_hash, log_index) = (8453, sha256(int8send(t.block)), t.n % 4)
where t.n % 100000 < 4;
insert into log_turn (chain_id, block_hash, log_index, taken_by, happened_at)
select 8453, sha256(int8send(-1 - block)), n % 4, n / 100000 + 1, at + interval '2 seconds' from told where n % 100000 < 4;
insert into release_step (source_id, to_block, released_at)
select 1, block, max(at) + interval '4 seconds' from told group by block order by block;
insert into release (source_id, from_block, to_block, closed_to) select 1, 0, max(block), max(block) - 256 from told;
insert into fill_close (source_id, symbol, quantity, last_fill)
select 1, symbol, sum(sign * quantity), max(array[extract(epoch from at), block, n % 4, round(quantity * 100, 6), quantity])
from told where block <= (select closed_to from release) group by symbol;
insert into go_live (source_id, from_block, reason, author) values (1, 0, 'a bench', 'a bench');
insert into block_range (source_id, from_block, to_block, to_hash, verdict, node, logs, foreign_logs)
select 1, 0, max(block), sha256('end'), 'proved', 'a node', {fills}, 0 from told;
insert into cursor (source_id, number, hash, block_time, head, safe, finalized)
select 1, max(block), sha256('end'), now(), max(block), max(block), max(block) - 256 from told;
insert into hedge_order (id, venue_id, client_order_id, purpose, symbol, side, quantity, terms, exposure, fence, state, filled, why,
    broker_order_id, planned_at, sent_at, accepted_at, closed_at)
overriding system value
select order_id, 1, 'bench-' || order_id, 'hedge', symbol, case when sign < 0 then 'BUY' else 'SELL' end, sum(quantity), 'market',
    sum(quantity * sign), 1, case when is_open then 'working' else 'closed' end, case when is_open then 0 else sum(quantity) end,
    case when not is_open then 'filled' end, 'b' || order_id, max(at) + interval '5 seconds',
    max(at) + interval '5.01 seconds', max(at) + interval '5.2 seconds', case when not is_open then max(at) + interval '6 seconds' end
from told where not is_open or share % 2 = 0 group by order_id, symbol, sign, is_open;
insert into hold (symbol, reason, detail, since, seen_at)
select symbol, 'below threshold', 'a bench', min(at), now() from told where is_open and share % 2 = 1 group by symbol;
insert into execution (id, venue_id, execution_id, order_id, broker_order_id, symbol, nature, quantity, price, cash, executed_at, booked_at)
overriding system value
select id, 1, 'x' || id, id, broker_order_id, symbol, 'trade', case side when 'BUY' then quantity else -quantity end, 100.1,
    round(case side when 'BUY' then -quantity else quantity end * 100.1, 18), sent_at + interval '0.5 seconds', closed_at
from hedge_order where state = 'closed' order by id;
insert into broker_order (venue_id, broker_order_id, order_id, filled, status, seen_at)
select 1, broker_order_id, id, filled, case state when 'closed' then 'filled' else 'new' end, coalesce(closed_at, accepted_at) from hedge_order;
insert into order_event (order_id, event, state, detail, happened_at)
select id, 'planned', 'planned', 'a bench', planned_at from hedge_order
union all select id, 'sent', 'sent', 'a bench', sent_at from hedge_order
union all select id, 'closed', 'closed', 'a bench', closed_at from hedge_order where state = 'closed';
insert into cover (order_id, place, what, chain_id, block_hash, log_index, role, quantity)
select order_id, nth % 4 + 1, 'fill', 8453, sha256(int8send(block)), n % 4, 'order', quantity from told
where not is_open or share % 2 = 0 order by order_id, nth;
insert into pnl_row (symbol, executed_at, trade_type, trade_id, order_id, tie, side, quantity, price, cash, realized_pnl, cumulative_pnl,
    net_position_after, book_value_after, fee, cumulative_fees, run, known_from)
select symbol, at, 'ONCHAIN', '8453:' || block || ':' || n % 4 || ':order', null, null, case when sign < 0 then 'SELL' else 'BUY' end,
    quantity, 100, round(quantity * 100, 6), null, nth * 0.01, sign * quantity, 100 * sign * quantity, 0, 0, 1, at from told
union all
select symbol, executed_at, 'OFFCHAIN', id::text, order_id, 0, case when quantity > 0 then 'BUY' else 'SELL' end,
    abs(quantity), price, abs(cash), 0.1, id * 0.01, 0, 0, 0.01, 0.01, 1, executed_at from execution
order by 1, 2;
insert into pnl_match (symbol, closed_at, closing_type, closing_id, opened_at, opening_type, opening_id, quantity, opening_cash,
    closing_cash, pnl, bucket, edge, drift, slippage)
select symbol, at + interval '5.51 seconds', 'OFFCHAIN', order_id::text, at, 'ONCHAIN', '8453:' || block || ':' || n % 4 || ':order',
    quantity, 100 * quantity, 100.1 * quantity, 0.1, 'counter_trade', 0.12, -0.01, -0.01
from told where not is_open order by 1, 2;
insert into pnl_row
select symbol, executed_at, trade_type, trade_id, order_id, tie, side, quantity, price, cash, realized_pnl + 0.01, cumulative_pnl + 0.01,
    net_position_after, book_value_after, fee, cumulative_fees, null, null, 0, executed_at, executed_at + interval '1 day', null, 'restated'
from pnl_row where trade_type = 'OFFCHAIN' and trade_id::bigint % 1000 = 0;
update pnl_row set known_from = executed_at + interval '1 day', cause = 'a late fill'
where known_to is null and trade_type = 'OFFCHAIN' and trade_id::bigint % 1000 = 0;
insert into open_lot (symbol, position, opening_type, opening_id, opened_at, side, quantity, cost)
select symbol, nth % 4 + 1, 'ONCHAIN', '8453:' || block || ':' || n % 4 || ':order', at, case when sign > 0 then 'LONG' else 'SHORT' end,
    quantity, 100 * quantity
from told where is_open;
insert into pnl_day
select symbol, (at at time zone 'America/New_York')::date, count(*), sum(quantity), sum(quantity) * 100, sum(quantity), sum(quantity) * 100,
    0, count(*) * 0.1, 0, count(*) * 0.1, count(*) * 0.12, count(*) * -0.01, count(*) * -0.01, 0, count(*) * 0.01, 0, 0, 0
from told group by 1, 2;
insert into pnl_total
select et_date, count(*), sum(trades), sum(onchain_netting + counter_trade + directional), sum(fees), sum(edge), sum(drift), sum(slippage)
from pnl_day group by et_date;
insert into pnl_snapshot (symbol, until, is_last, cumulative_pnl, cumulative_fees, lots)
select symbol, max(et_date + 1), true, sum(counter_trade), sum(fees), '[]' from pnl_day group by symbol;
insert into execution_close (symbol, quantity) select symbol, sum(quantity) from execution where order_id is not null group by symbol;
update execution_line set closed_to = (select max(id) from execution);
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
insert into recon_cut (run_id, source, as_of, read_started, read_finished, completeness, why)
select id, c.source, finished_at, started_at, finished_at, case when c.why is null then 'WHOLE' else 'UNKNOWN' end, c.why
from recon_run cross join (values ('vaults', null), ('broker', null), ('wallet', 'not configured')) c (source, why);
insert into recon_explanation (run_id, pass, place, leg, account, instrument, class, amount, refs, detail, tolerated)
select id, 1, n, 'broker', 'one', 'S' || lpad((n * 7)::text, 4, '0'), 'IN_FLIGHT_ORDER', 1, '{an order}', 'a bench', false
from recon_run cross join generate_series(1, 20) n;
insert into recon_inventory (run_id, instrument, onchain, at_brokers, ratio, target, deviation, move_quantity)
select r.id, s.symbol, 1, 1, 0.5, 0.5, 0.1, 0
from recon_run r cross join (select distinct symbol from pnl_day) s;
insert into recon_exposure (run_id, symbol, net, pending, remains, value_usd, within)
select r.id, s.symbol, 0, 0, 0, 0, true
from recon_run r cross join (select distinct symbol from pnl_day) s;
insert into job_run (job, due_at, business_date, state, holder, started_at, finished_at, said)
select j.job, d.et_date + interval '1 day', d.et_date, 'done', 'a bench', d.et_date + interval '1 day', d.et_date + interval '25 hours', 'a bench'
from (select distinct et_date from pnl_day) d cross join (values ('reconcile'), ('pnl'), ('health'), ('checks')) j (job);
insert into market_session (date, open_at, close_at, source, said_at)
select et_date, (et_date + time '9:30') at time zone 'America/New_York', (et_date + time '16:00') at time zone 'America/New_York', 'rules', now()
from (select distinct et_date from pnl_day) d where extract(isodow from et_date) < 6;
insert into recon_break (key, leg, account, instrument, class, stuck, state, quantity, first_seen, changed_at, refs, detail)
select sha256(int8send(n)), 'broker', 'one', 'S' || lpad((n % {symbols})::text, 4, '0'), 'QUANTITY', false,
    case when n % 20 = 0 then 'OPEN' else 'RESOLVED' end, 1, now() - n * interval '1 hour', now(), '{}', 'a bench'
from generate_series(1::bigint, 10000) n;
insert into mark (symbol, price, as_of, source)
select symbol, 100, et_date::timestamp at time zone 'America/New_York' + interval '16 hours', 'close' from pnl_day;
commit;
