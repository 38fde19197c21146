-- One row a time that a run judged.
insert into recon_pass (run_id, pass, inputs, input_digest, output_digest) values ($1, $2, $3, $4, $5)
