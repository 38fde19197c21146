-- One row per deposit into or withdrawal from a vault of ours, newest first.
select *
from reporting.vault_move
where ($1::text is null or source = $1)
  and ($2::bigint is null or block_number >= $2)
  and ($3::bigint is null or block_number <= $3)
order by block_number desc, log_index desc
limit $4::bigint
