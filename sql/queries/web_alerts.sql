-- One row per condition that is open, the gravest first; of one share, or of all.
select * from reporting.alert
where is_open and ($1::text is null or symbol = $1)
order by severity = 'critical' desc, severity = 'warning' desc, since_at
limit $2::bigint
