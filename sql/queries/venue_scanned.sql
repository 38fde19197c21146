-- No row: up to here its orders and executions are known.
update venue set scanned_to = greatest(scanned_to, $2) where id = $1
