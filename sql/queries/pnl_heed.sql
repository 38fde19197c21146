-- One row per note that was heeded.
delete from pnl_touch where id = any ($1)
