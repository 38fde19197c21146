-- One row per answer of a run that is not as it came.
select place, source, request from recon_answer where run_id = $1 and sha256 <> sha256(convert_to(said, 'UTF8')) order by place
