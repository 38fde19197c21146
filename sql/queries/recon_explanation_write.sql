-- One row a part of a residual that has evidence.
insert into recon_explanation (run_id, pass, place, leg, account, instrument, class, amount, refs, deadline, detail, tolerated)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
