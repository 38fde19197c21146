-- One row per log, or side of one, that gave no fill and asks for a person, newest first.
select *
from reporting.skipped_log
where is_open
  and ($1::text is null or source = $1)
  and ($2::bigint is null or block_number >= $2)
  and ($3::bigint is null or block_number <= $3)
order by block_number desc, log_index desc, role
limit $4::bigint
