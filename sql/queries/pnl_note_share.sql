-- One row: a share that is to be counted again.
insert into pnl_touch (what, symbol, since) values ('share', $1, $2)
