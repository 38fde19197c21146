-- One row per source: whether it is read.
select source, stopped_why, looked_at from reporting.cursor order by source
