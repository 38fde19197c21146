-- One row a node of the chain: what it has shown it can do.
select node, largest_ok, smallest_refused, batches, receipts from node_limit where chain_id = $1
