-- No row: the lease is ours for longer, if it still is ours.
update lease set expires_at = clock_timestamp() + $2::bigint * interval '1 millisecond' where fence = $1
