-- One row per pass of a run: what it looked at, and what that and its findings came to.
select pass, inputs, input_digest, output_digest from recon_pass where run_id = $1 order by pass
