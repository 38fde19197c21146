-- One row where hedging of a source begins with this; none where it had begun.
insert into go_live (source_id, from_block, reason, author, happened_at) values ($1, $2, $3, $4, $5)
on conflict (source_id) do nothing
returning source_id
