-- One row per message and recipient that this process sends now: what is due, and what another process
-- claimed so long ago ($2) that it is gone. That one may have been sent: its id is the same. Ways that are
-- closed for now ($4) are left out.
with due as (
    select o.id, o.state = 'sending' as orphaned from outbox o
    where ((o.state = 'waiting' and o.next_at <= $1) or (o.state = 'sending' and o.claimed_at <= $2))
      and o.channel <> all($4)
    order by o.next_at, o.id
    limit $3
    for update skip locked
),
claimed as (
    update outbox o set state = 'sending', attempts = o.attempts + 1, claimed_at = $1,
        unknown = o.unknown + due.orphaned::int
    from due where o.id = due.id
    returning o.id, o.letter_id, o.channel, o.recipient, o.attempts, o.deferred, o.unknown
)
select c.id, c.channel, c.recipient, c.attempts, c.deferred, c.unknown, l.message_id, l.thread_root, l.alert_key, l.scope,
    l.severity, l.recipients, l.subject, l.text, l.html, l.picture_ids, l.picture_alts, l.pictures, l.written_at
from claimed c join letter l on l.id = c.letter_id
order by c.id
