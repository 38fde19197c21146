-- What logins at brokers left behind, and what the paper venue keeps.
-- Nothing secret is in clear: tokens are AES-256-GCM under ENCRYPTION_KEY.

-- One row per venue that a person logs in to: its tokens as they stand, sealed.
-- Who renews them holds the row, so there is one at a time whatever the number of processes.
create table credential (
    venue           text        primary key,
    key_fingerprint text        not null,
    nonce           bytea       not null,
    ciphertext      bytea       not null,
    login_at        timestamptz not null,
    refreshed_at    timestamptz not null,
    access_until    timestamptz not null,
    constraint nonce_is_12_bytes check (octet_length(nonce) = 12),
    constraint ciphertext_holds_its_tag check (octet_length(ciphertext) >= 16)
);
