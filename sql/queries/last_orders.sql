-- One row: the number of the newest order of all.
select coalesce(max(id), 0) as id from hedge_order
