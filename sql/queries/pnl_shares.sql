-- One row per share that has a day.
select distinct symbol::text as symbol from pnl_day
