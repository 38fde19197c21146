-- One row: what is known of a venue.
select account, scanned_to from venue where id = $1
