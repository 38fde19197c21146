-- One row: a venue's login, sealed; whoever else would renew it waits.
select
    key_fingerprint,
    nonce,
    ciphertext,
    login_at,
    refreshed_at,
    access_until
from credential
where venue = $1
for update
