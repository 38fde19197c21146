-- One row per reconciliation, newest first.
select * from reporting.recon_run order by run_id desc limit $1::bigint
