-- No row: the activities of a venue are known up to a time; never back.
insert into activity_scan (venue_id, scanned_to) values ($1, $2)
on conflict (venue_id) do update set scanned_to = excluded.scanned_to
where activity_scan.scanned_to < excluded.scanned_to
