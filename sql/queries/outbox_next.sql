-- One row: when the next message is due; null where nothing waits.
select min(case state when 'waiting' then next_at else claimed_at end) as next_at
from outbox where state in ('waiting', 'sending')
