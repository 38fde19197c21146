-- One row: from now on what changes is noted.
insert into pnl_begun (begun_at) values ($1) on conflict do nothing
