-- One row, or none: how far the source is written.
select number, hash, finalized, stopped_why
from cursor
where source_id = $1
