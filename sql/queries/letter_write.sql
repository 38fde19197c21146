-- One row: the number of a letter, where it was not written before.
insert into letter (dedup_key, message_id, thread_root, alert_key, scope, run_id, severity, recipients, subject,
    text, html, picture_ids, picture_alts, pictures, written_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
on conflict do nothing
returning id
