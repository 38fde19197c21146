-- One row: up to which block the books are written, since when, and how far it is released to be hedged.
select c.number, c.moved_at, coalesce(r.to_block, -1) as released
from cursor c left join release r using (source_id)
