-- One row per fill as the chain has it now, newest first.
select *
from reporting.fill
where ($1::text is null or source = $1)
  and ($2::bigint is null or block_number >= $2)
  and ($3::bigint is null or block_number <= $3)
  and ($5::text is null or symbol = $5)
order by block_number desc, log_index desc, role
limit $4::bigint
