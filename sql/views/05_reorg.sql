-- One row per change of mind: the chain's, an operator's, or the auditor's.
create view reporting.reorg as
select
    r.id                                                    as reorg_id,
    s.chain_id,
    s.name                                                  as source,
    r.cause,
    r.fork_number,
    '0x' || encode(r.fork_hash, 'hex')                      as fork_hash,
    r.old_number,
    '0x' || encode(r.old_hash, 'hex')                       as old_hash,
    '0x' || encode(r.new_hash, 'hex')                       as new_hash,
    r.depth,
    r.logs_taken,
    r.reason,
    r.author,
    r.happened_at,
    ((r.happened_at) at time zone 'America/New_York')::date as et_date,
    date_trunc('week', (r.happened_at) at time zone 'America/New_York')::date as et_week,
    date_trunc('month', (r.happened_at) at time zone 'America/New_York')::date as et_month
from reorg r
join source s on s.id = r.source_id;

comment on view reporting.reorg is
    'One row per change of mind: the chain''s (a reorganisation), an operator''s (a rewind), or the auditor''s (a log that the chain does not have).';
comment on column reporting.reorg.reorg_id is
    'Its number; reorg_id of reporting.orphaned_fill.';
comment on column reporting.reorg.chain_id is
    'Number of the chain, as in EIP-155: 8453 is Base.';
comment on column reporting.reorg.source is
    'Name of the source in hedge.toml whose cursor went back.';
comment on column reporting.reorg.cause is
    'Who changed their mind: chain, operator or audit.';
comment on column reporting.reorg.fork_number is
    'Number of the last block that both histories share.';
comment on column reporting.reorg.fork_hash is
    'Hash of that block; 0x and 64 lower-case hex digits.';
comment on column reporting.reorg.old_number is
    'Number of the block that the cursor stood on.';
comment on column reporting.reorg.old_hash is
    'Hash of that block; 0x and 64 lower-case hex digits.';
comment on column reporting.reorg.new_hash is
    'Hash that the chain has at old_number, or at its head where that is lower. NULL when it was not asked.';
comment on column reporting.reorg.depth is
    'Blocks taken back: old_number less fork_number.';
comment on column reporting.reorg.logs_taken is
    'Logs of ours taken back with them.';
comment on column reporting.reorg.reason is
    'Why, in words; an operator always gives them. NULL when nobody did.';
comment on column reporting.reorg.author is
    'The operator. NULL when it was not one.';
comment on column reporting.reorg.happened_at is
    'Time at which we followed, UTC.';
comment on column reporting.reorg.et_date is 'Date in New York of the time that it is about.';
comment on column reporting.reorg.et_week is 'Monday of the week of et_date.';
comment on column reporting.reorg.et_month is 'First day of the month of et_date.';
