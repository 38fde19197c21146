-- No row: what a node has shown it can do.
insert into node_limit (chain_id, node, largest_ok, smallest_refused, batches, receipts)
values ($1, $2, $3, $4, $5, $6)
on conflict (chain_id, node) do update
set largest_ok = excluded.largest_ok, smallest_refused = excluded.smallest_refused,
    batches = excluded.batches, receipts = excluded.receipts, learnt_at = now()
