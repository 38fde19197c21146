-- One row a share of a run.
insert into recon_exposure (run_id, symbol, net, pending, remains, value_usd, within, why, why_since, oldest_at)
select $1, * from unnest($2::text[], $3::numeric[], $4::numeric[], $5::numeric[], $6::numeric[], $7::boolean[], $8::text[],
    $9::timestamptz[], $10::timestamptz[])
