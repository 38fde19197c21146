-- One row per split of a share that its wrapper may pass on between two times; it may be late by so many days.
select ratio_new, ratio_old
from corporate_action
where kind = 'split' and symbol = $1 and withdrawn_at is null
    and effective_at > $2::timestamptz - interval '14 days' and effective_at <= $3
order by effective_at, id
