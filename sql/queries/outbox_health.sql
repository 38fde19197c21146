-- One row: what waits, since when, and what was given up lately ($1).
select
    count(*) filter (where o.state in ('waiting', 'sending'))                          as waiting,
    min(l.written_at) filter (where o.state in ('waiting', 'sending'))                 as oldest,
    count(*) filter (where o.state in ('failed', 'poisoned') and o.ended_at >= $1)     as given_up,
    count(*) filter (where o.state = 'sent' and o.unknown > 0 and o.ended_at >= $1)    as doubtful,
    (array_agg(o.recipient || ' (' || l.message_id || '): ' || o.last_error order by o.ended_at desc)
        filter (where o.state in ('failed', 'poisoned') and o.ended_at >= $1))[1]      as last_given_up,
    (array_agg(o.recipient || ': ' || o.last_error order by o.next_at desc)
        filter (where o.state = 'waiting' and o.last_error is not null))[1]            as last_error
from outbox o join letter l on l.id = o.letter_id
