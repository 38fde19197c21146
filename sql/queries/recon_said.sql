-- One row per answer of a run, in the order of asking.
select source, request, status, said from recon_answer where run_id = $1 order by place
