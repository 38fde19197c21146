-- One row per transfer of which only one end is booked.
select transfer, min(instrument) as instrument, (-sum(amount))::numeric(38,18) as quantity, max(deadline) as deadline
from account_entry where kind = 'transfer' and as_of <= $1
group by transfer having sum(amount) <> 0 order by transfer
