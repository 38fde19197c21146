-- No row: a source's contract was asked for orders up to a block; never back.
insert into vault_scan (source_id, scanned_to) values ($1, $2)
on conflict (source_id) do update set scanned_to = excluded.scanned_to, scanned_at = now()
where vault_scan.scanned_to < excluded.scanned_to
