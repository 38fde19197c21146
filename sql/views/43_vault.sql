-- One row per vault of ours that is known.
create view reporting.vault as
select
    s.name                                                  as source,
    '0x' || encode(x.owner, 'hex')                          as owner,
    '0x' || encode(x.token, 'hex')                          as token,
    '0x' || encode(x.vault_id, 'hex')                       as vault_id,
    x.found_by,
    x.block_number,
    x.seen_at
from vault x
join source s on s.id = x.source_id;

comment on view reporting.vault is
    'One row per vault of ours that is known, and how it became so. A vault is one token of one owner under one id.';
comment on column reporting.vault.source is 'Name of the source whose contract it lies in.';
comment on column reporting.vault.owner is 'Address of its owner.';
comment on column reporting.vault.token is 'Address of the token in it.';
comment on column reporting.vault.vault_id is 'Id of the vault, 32 bytes.';
comment on column reporting.vault.found_by is 'What it was known by first: configuration, order, deposit or fill.';
comment on column reporting.vault.block_number is 'Block where it was first met. NULL: it was configured.';
comment on column reporting.vault.seen_at is 'Since when it is known here, UTC.';
