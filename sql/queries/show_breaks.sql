-- One row per break, those that need somebody first.
select * from reporting.recon_break
where $1 or state not in ('RESOLVED', 'WRITTEN_OFF')
order by state not in ('OPEN', 'REOPENED'), abs(value_usd) desc nulls first, break_id
limit $2::bigint
