-- One row an answer, as it came.
insert into recon_answer (run_id, place, source, request, said, sha256)
values ($1, $2, $3, $4, $5, sha256(convert_to($5, 'UTF8')))
