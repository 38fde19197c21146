-- What a night leaves behind, for a demo that has none: runs, a break that nothing explains, what people were told of.
insert into job_run (job, due_at, business_date, state, holder, started_at, finished_at, said)
select job, date_trunc('day', now()) - ago, (now() - ago)::date, state, 'demo', date_trunc('day', now()) - ago,
    date_trunc('day', now()) - ago + took, said
from (values
    ('reconcile', interval '23 hours', 'found', interval '3.2 seconds', '3 shares and 2 accounts of cash agree; 1 break is open'),
    ('pnl', interval '22 hours 45 minutes', 'done', interval '1.4 seconds', '212 trades counted, two ways'),
    ('statement', interval '22 hours 30 minutes', 'done', interval '0.4 seconds', 'it ties out'),
    ('checks', interval '22 hours', 'done', interval '0.9 seconds', 'all 9 checks hold'),
    ('calendar', interval '18 hours', 'done', interval '0.2 seconds', 'nothing changed'),
    ('health', interval '5 minutes', 'done', interval '0.1 seconds', 'all is as young as it should be')
) run (job, ago, state, took, said);
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
