-- One row per login, sealed; whoever would renew one waits.
select
    venue,
    key_fingerprint,
    nonce,
    ciphertext
from credential
order by venue
for update
