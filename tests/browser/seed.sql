-- What a night leaves behind, for a demo that has none: runs, a break that nothing explains, what people were told of.
insert into job_run (job, due_at, business_date, state, holder, started_at, finished_at, said)
select job, now() - ago, (now() - ago)::date, state, 'demo', now() - ago, now() - ago + took, said
from (values
    ('reconcile', interval '9 hours', 'found', interval '3.2 seconds', '3 shares and 2 accounts of cash agree; 1 break is open'),
    ('pnl', interval '8 hours 45 minutes', 'done', interval '1.4 seconds', '212 trades counted, two ways'),
    ('statement', interval '8 hours 30 minutes', 'done', interval '0.4 seconds', 'it ties out'),
    ('checks', interval '8 hours', 'done', interval '0.9 seconds', 'all 9 checks hold'),
    ('calendar', interval '4 hours', 'done', interval '0.2 seconds', 'nothing changed'),
    ('health', interval '5 minutes', 'done', interval '0.1 seconds', 'all is as young as it should be')
) run (job, ago, state, took, said);
-- Sixty days of money, some of them bad ones.
insert into pnl_day (symbol, et_date, trades, bought_quantity, bought_cash, sold_quantity, sold_cash, onchain_netting, counter_trade,
    directional, attributed, edge, drift, slippage, unattributed, fees, net_after, closing_net, closing_book)
select symbol, (now() at time zone 'America/New_York')::date - ago, 40 + ago % 17, 100, 18760, 100, 18760, 0, edge + drift + slippage, 0,
    edge + drift + slippage, edge, drift, slippage, 0, 0.35, 0, 0, 0
from (values ('AAPL', 1.0), ('TSLA', 1.7), ('SPYM', 0.4)) share (symbol, size), generate_series(1, 84) ago,
    lateral (select round(size * (41 + (ago * 37) % 29), 2) as edge, round(size * ((ago * 53) % 61 - 33), 2) as drift,
                 round(size * -((ago * 19) % 23), 2) as slippage) part
where extract(isodow from (now() at time zone 'America/New_York')::date - ago) < 6;
insert into recon_run (business_date, attempt, started_at, finished_at, status, passes, input_digest, output_digest,
                       open_breaks, unexplained, code_version, said)
values (current_date - 1, 1, now() - interval '9 hours', now() - interval '9 hours', 'COMPLETE', 1, repeat('i', 32)::bytea,
        repeat('o', 32)::bytea, 1, 1, 'demo', '3 shares and 2 accounts of cash agree; 1 break is open');
insert into recon_leg (run_id, leg, account, instrument, expected, reported, residual, explained, unexplained, price, candidates)
select id, 'broker', 'alpaca', 'AAPL', 8, 8.25, 0.25, 0, 0.25, 187.7, '{}' from recon_run;
insert into recon_break (key, leg, account, instrument, class, stuck, state, quantity, first_seen, changed_at, refs, detail)
values (repeat('k', 32)::bytea, 'broker', 'alpaca', 'AAPL', 'UNEXPLAINED', false, 'OPEN', 0.25, now() - interval '9 hours',
        now() - interval '9 hours', '{}', 'the broker holds 8.25 AAPL, our books say 8, and nothing explains the rest');
insert into recon_break_event (break_id, run_id, event, state, quantity, happened_at)
select b.id, r.id, 'opened', 'OPEN', 0.25, r.finished_at from recon_break b, recon_run r;
insert into alert (key, scope, class, leg, severity, symbol, about, detail, next, usd, quantity, since, confirmed, phase,
                   fired_at, told_at, told_class, told_severity, judged_at)
values ('break/1', 'reconcile', 'UNEXPLAINED', 'broker', 'warning', 'AAPL', 'UNEXPLAINED 0.25 AAPL at alpaca',
        'The broker holds 8.25 AAPL, our books say 8.', 'look at the broker''s activities; then hedge correct or hedge accept',
        46.925, 0.25, now() - interval '9 hours', true, 'firing', now() - interval '9 hours', now() - interval '9 hours',
        'UNEXPLAINED', 'warning', now());
insert into check_result (name, failures, allowed, sample, checked_at)
select name, 0, 0, '[]', now() - interval '9 hours'
from unnest(array['coverage', 'cursor_block', 'fill_close', 'fill_quantity', 'order_cover', 'order_evidence', 'order_filled']) name;
