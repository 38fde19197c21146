-- One row an answer, as it came.
insert into recon_answer (run_id, place, source, request, status, said, sha256)
values ($1, $2, $3, $4, $5, $6, sha256(convert_to($6, 'UTF8')))
