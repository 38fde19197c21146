-- No row: a venue's login as it stands now, in the place of the one before.
insert into credential (venue, key_fingerprint, nonce, ciphertext, login_at, refreshed_at, access_until)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (venue) do update set
    key_fingerprint = excluded.key_fingerprint,
    nonce = excluded.nonce,
    ciphertext = excluded.ciphertext,
    login_at = excluded.login_at,
    refreshed_at = excluded.refreshed_at,
    access_until = excluded.access_until
