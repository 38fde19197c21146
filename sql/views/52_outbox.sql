-- One row per message and recipient.
create view reporting.outbox as
select
    o.id                                    as outbox_number,
    o.state,
    o.channel,
    o.recipient,
    l.subject,
    l.severity,
    l.scope                                 as job,
    l.alert_key,
    l.message_id,
    l.thread_root,
    o.attempts,
    o.unknown                               as unknown_sends,
    case when o.state = 'waiting' then o.next_at end as next_at,
    o.last_error,
    (l.written_at at time zone 'America/New_York')::date as et_date,
    date_trunc('week', l.written_at at time zone 'America/New_York')::date as et_week,
    date_trunc('month', l.written_at at time zone 'America/New_York')::date as et_month,
    l.written_at,
    o.ended_at
from outbox o
join letter l on l.id = o.letter_id;

comment on view reporting.outbox is 'One row per message and recipient: how far it got. A message is written with its cause and sent afterwards.';
comment on column reporting.outbox.outbox_number is 'Number of the row, in the order of writing.';
comment on column reporting.outbox.state is 'waiting: to be sent. sending: on its way. sent: taken by the server. failed: refused for good. poisoned: tried too often.';
comment on column reporting.outbox.channel is 'mail or webhook.';
comment on column reporting.outbox.recipient is 'A mail address; of a webhook its name.';
comment on column reporting.outbox.subject is 'The subject.';
comment on column reporting.outbox.severity is 'How much it matters: info, warning or critical.';
comment on column reporting.outbox.job is 'The job whose run said it.';
comment on column reporting.outbox.alert_key is 'The condition that it is of. NULL: of a whole run.';
comment on column reporting.outbox.message_id is 'Message-ID: the same at every try, so that a mailbox keeps one of two.';
comment on column reporting.outbox.thread_root is 'Message-ID of the first mail of its thread. NULL: it is the first.';
comment on column reporting.outbox.attempts is 'How often it was tried.';
comment on column reporting.outbox.unknown_sends is 'How often nobody knew whether it was taken: the mailbox may hold it twice under its Message-ID.';
comment on column reporting.outbox.next_at is 'When it is tried next, UTC. NULL: it does not wait.';
comment on column reporting.outbox.last_error is 'What the last try came to, where it failed.';
comment on column reporting.outbox.et_date is 'The date in New York when it was written.';
comment on column reporting.outbox.written_at is 'When it was written, UTC.';
comment on column reporting.outbox.ended_at is 'When it was sent or given up, UTC. NULL: neither so far.';
comment on column reporting.outbox.et_week is 'Monday of the week of et_date.';
comment on column reporting.outbox.et_month is 'First day of the month of et_date.';
