-- One row: up to where a source's contract was asked for orders.
select scanned_to from vault_scan where source_id = $1
