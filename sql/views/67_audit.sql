-- One row per act of an operator, whoever it was and whatever it changed.
create view reporting.audit as
with act as (
    select happened_at, act, 'halt ' || id as act_id, symbol, coalesce(symbol, 'everything') as about, null as detail, reason, author from halt
    union all
    select happened_at, 'go live', 'source ' || g.source_id, null, s.name, 'from block ' || g.from_block, g.reason, g.author
    from go_live g join source s on s.id = g.source_id
    union all
    select happened_at, 'state position', 'opening ' || id, symbol, symbol, trim_scale(quantity)::text, reason, author from opening_position
    union all
    select happened_at, 'correct position', 'correction ' || id, symbol, symbol, trim_scale(quantity)::text, reason, author from correction
    union all
    select r.happened_at, 'rewind', 'reorg ' || r.id, null, s.name,
        'from block ' || r.old_number || ' to ' || r.fork_number || ', ' || r.logs_taken || ' logs taken', r.reason, r.author
    from reorg r join source s on s.id = r.source_id
    where r.cause = 'operator'
    union all
    select a.acted_at, case a.act when 'accepted' then 'accept skipped log' else 'read skipped log again' end, 'skipped ' || a.skipped_id, null,
        k.reason, k.detail, a.reason, a.author
    from skipped_log_act a join skipped_log k on k.id = a.skipped_id
    union all
    select o.planned_at, 'place order', 'order ' || o.id, o.symbol, 'order ' || o.id, o.side || ' ' || trim_scale(o.quantity), o.reason, o.author
    from hedge_order o where o.author is not null
    union all
    select e.happened_at, 'order: ' || e.event, 'event ' || e.id, o.symbol, 'order ' || o.id, e.detail, null, e.author
    from order_event e join hedge_order o on o.id = e.order_id
    where e.author is not null and e.event <> 'planned'
    union all
    select known_at, 'enter corporate action', 'action ' || id, symbol, symbol, kind || ' of ' || ex_date, reason, author
    from corporate_action where author is not null
    union all
    select e.happened_at, 'break: ' || e.event, 'break event ' || e.id, b.instrument, 'break ' || b.id,
        b.class || ' of ' || trim_scale(e.quantity) || ' ' || b.instrument || ', ' || b.leg || ' ' || b.account, e.reason, e.author
    from recon_break_event e join recon_break b on b.id = e.break_id
    where e.author is not null
    union all
    select happened_at, case kind when 'opening' then 'state balance' else kind end, 'entry ' || id, instrument, leg || ' ' || account, kind || ' ' || trim_scale(amount), reason, author
    from account_entry where break_id is null
    union all
    select happened_at, 'acknowledge alert', 'alert event ' || id, null, key, 'until ' || until, said, author
    from alert_event where event = 'acknowledged'
)
select happened_at, author, act, symbol, about, detail, reason, act_id,
    (happened_at at time zone 'America/New_York')::date     as et_date,
    date_trunc('week', happened_at at time zone 'America/New_York')::date as et_week,
    date_trunc('month', happened_at at time zone 'America/New_York')::date as et_month
from act
where author is not null;

comment on view reporting.audit is 'One row per act of an operator: who did what, when and why. Append-only, as what it is read from.';
comment on column reporting.audit.happened_at is 'When, UTC.';
comment on column reporting.audit.author is 'Who; hedge where it halted by itself.';
comment on column reporting.audit.act is 'What was done, in a few words.';
comment on column reporting.audit.symbol is 'Ticker of the share that it is about. NULL where it is about none, or all.';
comment on column reporting.audit.about is 'What it was done to.';
comment on column reporting.audit.detail is 'What exactly. NULL where the act says it all.';
comment on column reporting.audit.reason is 'Why, in the operator''s words. NULL where it stands in the detail.';
comment on column reporting.audit.act_id is 'Where it is written down: a kind and a number.';
comment on column reporting.audit.et_date is 'Date of happened_at in New York.';
comment on column reporting.audit.et_week is 'Monday of the week of et_date.';
comment on column reporting.audit.et_month is 'First day of the month of et_date.';
