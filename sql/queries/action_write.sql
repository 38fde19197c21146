-- One row where it is new: something that a company does to its shares.
insert into corporate_action (action_id, kind, symbol, ex_date, effective_at, record_date, payable_date,
    ratio_new, ratio_old, to_symbol, cash_per_share, source, author, reason, said, known_at)
values ($1, $2, $3, $4::date, $5, $6::date, $7::date, $8, $9, $10, $11, $12, $13, $14, $15, $16)
on conflict do nothing
returning action_id
