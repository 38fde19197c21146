-- One row: a venue's login, sealed.
select
    key_fingerprint,
    nonce,
    ciphertext,
    login_at,
    refreshed_at,
    access_until
from credential
where venue = $1
