-- One row: up to when the activities of a venue are known.
select scanned_to from activity_scan where venue_id = $1
