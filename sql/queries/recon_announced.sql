-- One row per split that is announced, near a date.
select action_id, symbol, ex_date, ratio_new, ratio_old
from corporate_action
where kind = 'split' and withdrawn_at is null and ex_date between $1::date - 14 and $1::date
order by action_id
