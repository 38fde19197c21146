-- One row per open lot of a share, oldest first.
select * from reporting.open_lot where symbol = $1 order by position limit $2::bigint
