-- One row per thing that ever happened, whatever it happened to.
create view reporting.events as
select
    'fill'                                                  as aggregate_type,
    f.chain_id || ':0x' || encode(f.block_hash, 'hex') || ':' || f.log_index || ':' || f.role as aggregate_id,
    1::bigint                                               as sequence,
    'filled'                                                as event_type,
    l.block_time                                            as occurred_at,
    l.written_at                                            as known_at,
    jsonb_build_object('symbol', f.symbol, 'side', f.side, 'quantity', f.quantity, 'usdc', f.usdc,
        'tx_hash', '0x' || encode(l.tx_hash, 'hex'), 'block_number', l.block_number) as payload
from fill f
join chain_log l using (chain_id, block_hash, log_index)
union all
select 'fill', f.chain_id || ':0x' || encode(f.block_hash, 'hex') || ':' || f.log_index || ':' || f.role,
    1 + row_number() over (partition by t.chain_id, t.block_hash, t.log_index, f.role order by t.id),
    case when t.taken_by is null then 'taken up again' else 'taken' end,
    t.happened_at, t.happened_at, jsonb_build_object('reorg', t.taken_by)
from log_turn t
join fill f using (chain_id, block_hash, log_index)
union all
select 'execution', v.name || ':' || e.execution_id, 1, e.nature, e.executed_at, e.booked_at,
    jsonb_build_object('symbol', e.symbol, 'quantity', e.quantity, 'price', e.price, 'cash', e.cash, 'order', e.order_id,
        'corrects', e.corrects)
from execution e
join venue v on v.id = e.venue_id
union all
select 'order', e.order_id::text, row_number() over (partition by e.order_id order by e.id), e.event, e.happened_at, e.happened_at,
    jsonb_build_object('state', e.state, 'detail', e.detail, 'author', e.author)
from order_event e
union all
select 'vault', '0x' || encode(m.vault_id, 'hex'), row_number() over (partition by m.vault_id order by l.block_time, l.block_number, m.log_index),
    m.kind, l.block_time, l.written_at,
    jsonb_build_object('token', '0x' || encode(m.token, 'hex'), 'quantity', m.amount, 'tx_hash', '0x' || encode(l.tx_hash, 'hex'),
        'taken_by', l.taken_by)
from vault_move m
join chain_log l using (chain_id, block_hash, log_index)
union all
select 'source', s.name, row_number() over (partition by r.source_id order by r.id), 'reorg', r.happened_at, r.happened_at,
    jsonb_build_object('cause', r.cause, 'fork_number', r.fork_number, 'depth', r.depth, 'logs_taken', r.logs_taken,
        'reason', r.reason, 'author', r.author)
from reorg r
join source s on s.id = r.source_id
union all
select 'skipped log', k.id::text, 1, 'skipped', l.block_time, k.skipped_at,
    jsonb_build_object('reason', k.reason, 'detail', k.detail, 'tx_hash', '0x' || encode(l.tx_hash, 'hex'), 'log_index', k.log_index)
from skipped_log k
join chain_log l using (chain_id, block_hash, log_index)
union all
select 'corporate action', a.action_id, 1, a.kind, a.effective_at, a.known_at,
    jsonb_build_object('symbol', a.symbol, 'ex_date', a.ex_date, 'ratio_new', a.ratio_new, 'ratio_old', a.ratio_old,
        'to_symbol', a.to_symbol, 'cash', a.cash_per_share)
from corporate_action a
union all
select 'corporate action', a.action_id, 2, 'withdrawn', a.withdrawn_at, a.withdrawn_at, jsonb_build_object('why', a.withdrawn_why)
from corporate_action a where a.withdrawn_at is not null
union all
select 'cash', c.flow_id, 1, c.kind, c.occurred_at, c.booked_at,
    jsonb_build_object('symbol', c.symbol, 'amount', c.amount, 'execution', c.execution_id)
from cash_flow c
union all
select 'run', r.job || ' ' || r.business_date, row_number() over (partition by r.job, r.business_date order by r.id), r.state,
    coalesce(r.finished_at, r.started_at), coalesce(r.finished_at, r.started_at), jsonb_build_object('said', r.said, 'due_at', r.due_at)
from job_run r
union all
select 'break', e.break_id::text, row_number() over (partition by e.break_id order by e.id), e.event, e.happened_at, e.happened_at,
    jsonb_build_object('state', e.state, 'quantity', e.quantity, 'cash', e.cash, 'run', e.run_id, 'reason', e.reason, 'author', e.author)
from recon_break_event e
union all
select 'alert', e.key, row_number() over (partition by e.key order by e.id), e.event, e.happened_at, e.happened_at,
    jsonb_build_object('severity', e.severity, 'usd', e.usd, 'said', e.said, 'author', e.author)
from alert_event e
union all
select 'P&L', w.trade_type || ':' || w.trade_id, row_number() over (partition by w.symbol, w.executed_at, w.trade_type, w.trade_id order by w.known_to),
    w.ended_by, w.executed_at, w.known_to, jsonb_build_object('symbol', w.symbol, 'realized_pnl', w.realized_pnl, 'cause', w.cause)
from pnl_row w where w.known_to is not null
union all
select 'operator', a.act_id, 1, a.act, a.happened_at, a.happened_at,
    jsonb_build_object('author', a.author, 'about', a.about, 'detail', a.detail, 'reason', a.reason)
from reporting.audit a;

comment on view reporting.events is 'One row per thing that ever happened, whatever it happened to: append-only, as what it is read from. Ask for a type and an id, or for a time.';
comment on column reporting.events.aggregate_type is 'What it happened to: fill, execution, order, vault, source, skipped log, corporate action, cash, run, break, alert, P&L or operator.';
comment on column reporting.events.aggregate_id is 'Which of them.';
comment on column reporting.events.sequence is 'Place among what happened to that one, from 1.';
comment on column reporting.events.event_type is 'What happened, in a word or a few.';
comment on column reporting.events.occurred_at is 'When it happened, UTC.';
comment on column reporting.events.known_at is 'When it became known here, UTC. NULL: before that was noted.';
comment on column reporting.events.payload is 'What there is to say of it as JSON; numbers are exact.';
