-- One row per fill as the chain has it now, newest first. Source by source, as there the last ones are found by an index.
with newest as (
    select s.name as source, f.block_number, f.log_index, f.role
    from source s
    cross join lateral (
        select l.block_number, l.log_index, f.role
        from chain_log l
        join fill f using (chain_id, block_hash, log_index)
        where l.source_id = s.id and l.taken_by is null
          and ($2::bigint is null or l.block_number >= $2)
          and ($3::bigint is null or l.block_number <= $3)
          and ($5::text is null or f.symbol = $5)
        order by l.block_number desc, l.log_index desc, f.role
        limit $4::bigint
    ) f
    where ($1::text is null or s.name = $1)
)
select f.*
from newest n
-- One by one, whatever the planner believes of books that it has not looked at yet.
cross join lateral (
    select * from reporting.fill f
    where (f.source, f.block_number, f.log_index, f.role) = (n.source, n.block_number, n.log_index, n.role)
    limit 1
) f
order by f.block_number desc, f.log_index desc, f.role
limit $4::bigint
