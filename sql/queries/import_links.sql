-- No row: links that were not imported before are written.
insert into imported_link (import_id, trade_id, execution_id, quantity)
select $1, * from unnest($2::bigint[], $3::bigint[], $4::numeric[])
on conflict do nothing
