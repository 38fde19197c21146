-- One row: the ends of a transfer that are known, summed; of what is null where none is.
select min(instrument) as instrument, coalesce(sum(amount), 0)::numeric(38,18) as sum, max(deadline) as deadline,
    coalesce((select array_agg(distinct ref) from account_entry e, unnest(e.refs) as ref where e.transfer = $1), '{}') as refs
from account_entry where transfer = $1
