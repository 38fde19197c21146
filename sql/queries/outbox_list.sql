-- One row per message and recipient, newest first.
select * from reporting.outbox order by outbox_number desc limit $1
