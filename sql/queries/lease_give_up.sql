-- No row: whoever waits for the lease may have it.
update lease set expires_at = clock_timestamp() where fence = $1
