-- One row per lot of a share that was open.
delete from open_lot where symbol = $1
