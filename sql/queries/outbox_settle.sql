-- One row where it was still ours: what became of a message to somebody. What another took over is his to settle.
update outbox set state = $3, next_at = coalesce($4::timestamptz, next_at), last_error = $5, deferred = deferred + $6,
    unknown = unknown + $7, claimed_at = null, ended_at = case when $3 = 'waiting' then null else $8::timestamptz end
where id = $1 and state = 'sending' and attempts = $2
returning id
