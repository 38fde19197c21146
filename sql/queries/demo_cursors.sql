-- How far each source is written. `hedge show cursors`
select source, number, head, lag_blocks, finalized, moved_at, stopped_why
from reporting.cursor
order by source
