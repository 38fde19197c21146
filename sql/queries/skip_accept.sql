-- One row where there is an open skipped log of this number: an operator takes it as it is.
insert into skipped_log_act (skipped_id, act, reason, author)
select id, 'accepted', $2, $3
from skipped_log
where id = $1 and not exists (select from skipped_log_act where skipped_id = $1)
