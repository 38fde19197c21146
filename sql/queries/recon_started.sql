-- One row where there is such a run: when it began.
select started_at from recon_run where id = $1
