-- One row: a venue's login, sealed; whoever else would renew it waits.
select
    key_fingerprint,
    nonce,
    ciphertext,
    (extract(epoch from login_at) * 1000000)::bigint     as login_at,
    (extract(epoch from refreshed_at) * 1000000)::bigint as refreshed_at,
    (extract(epoch from access_until) * 1000000)::bigint as access_until
from credential
where venue = $1
for update
