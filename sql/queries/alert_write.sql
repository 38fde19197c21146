-- No row: a condition as it stands now. What a person acknowledged stays, until it is over.
insert into alert (key, scope, class, leg, severity, symbol, about, detail, next, usd, quantity, since, confirmed,
    phase, pending_since, fired_at, told_at, told_class, told_severity, told_usd, told_quantity, escalated_at,
    calm, notices, thread_root, judged_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
    $24, $25, $26)
on conflict (key) do update set
    scope = excluded.scope, class = excluded.class, leg = excluded.leg, severity = excluded.severity,
    symbol = excluded.symbol, about = excluded.about, detail = excluded.detail, next = excluded.next,
    usd = excluded.usd, quantity = excluded.quantity, since = excluded.since, confirmed = excluded.confirmed,
    phase = excluded.phase, pending_since = excluded.pending_since, fired_at = excluded.fired_at,
    told_at = excluded.told_at, told_class = excluded.told_class, told_severity = excluded.told_severity,
    told_usd = excluded.told_usd, told_quantity = excluded.told_quantity, escalated_at = excluded.escalated_at,
    calm = excluded.calm, notices = excluded.notices, thread_root = excluded.thread_root,
    judged_at = excluded.judged_at,
    acknowledged_until = case when $27 then null else alert.acknowledged_until end,
    acknowledged_by = case when $27 then null else alert.acknowledged_by end,
    acknowledged_why = case when $27 then null else alert.acknowledged_why end
