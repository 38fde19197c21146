-- One row a place and instrument of a run; the candidates of a place are parted by U+001F.
insert into recon_leg (run_id, leg, account, instrument, expected, reported, residual, explained, unexplained, price, candidates,
    unsettled)
select $1, leg, account, instrument, expected, reported, residual, explained, unexplained, price,
    coalesce(string_to_array(nullif(candidates, ''), U&'\001F'), '{}'), unsettled
from unnest($2::text[], $3::text[], $4::text[], $5::numeric[], $6::numeric[], $7::numeric[], $8::numeric[], $9::numeric[],
    $10::numeric[], $11::text[], $12::numeric[])
    as l (leg, account, instrument, expected, reported, residual, explained, unexplained, price, candidates, unsettled)
