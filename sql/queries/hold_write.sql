-- No row: a hold; its time is that of its reason.
insert into hold as h (symbol, reason, detail, since, seen_at) values ($1, $2, $3, $4, $4)
on conflict (symbol) do update
set reason = excluded.reason, detail = excluded.detail, seen_at = excluded.seen_at,
    since = case when h.reason = excluded.reason then h.since else excluded.since end
