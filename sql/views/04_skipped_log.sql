-- One row per log, or side of one, that is ours but gives no fill, and why.
create view reporting.skipped_log as
select
    k.id                                                    as skipped_id,
    k.chain_id,
    s.name                                                  as source,
    l.block_number,
    '0x' || encode(k.block_hash, 'hex')                     as block_hash,
    '0x' || encode(l.tx_hash, 'hex')                        as tx_hash,
    k.log_index,
    k.role,
    '0x' || encode(nullif(substr(l.topics, 1, 32), ''), 'hex') as topic0,
    k.reason,
    k.detail,
    l.taken_by is null                                      as canonical,
    l.taken_by is null and accepted.act is null and redriven.act is null as is_open,
    accepted.acted_at                                       as accepted_at,
    accepted.reason                                         as accepted_reason,
    accepted.author,
    redriven.acted_at                                       as redriven_at,
    l.block_time                                            as executed_at,
    (l.block_time at time zone 'America/New_York')::date    as et_date,
    date_trunc('week', l.block_time at time zone 'America/New_York')::date as et_week,
    date_trunc('month', l.block_time at time zone 'America/New_York')::date as et_month,
    k.skipped_at
from skipped_log k
join chain_log l using (chain_id, block_hash, log_index)
join source s on s.id = l.source_id
left join skipped_log_act accepted on accepted.skipped_id = k.id and accepted.act = 'accepted'
left join skipped_log_act redriven on redriven.skipped_id = k.id and redriven.act = 'redriven';

comment on view reporting.skipped_log is
    'One row per log, or side of one, that is ours but gives no fill, and why. Nothing is dropped in silence: is_open asks for a person.';
comment on column reporting.skipped_log.skipped_id is
    'Its number, as `hedge accept` and `hedge redrive` take it.';
comment on column reporting.skipped_log.chain_id is
    'Number of the chain, as in EIP-155: 8453 is Base.';
comment on column reporting.skipped_log.source is
    'Name of the source in hedge.toml that the log was read for.';
comment on column reporting.skipped_log.block_number is
    'Number of the block that holds the log.';
comment on column reporting.skipped_log.block_hash is
    'Hash of the block that holds the log; 0x and 64 lower-case hex digits.';
comment on column reporting.skipped_log.tx_hash is
    'Hash of the transaction that emitted the log; 0x and 64 lower-case hex digits.';
comment on column reporting.skipped_log.log_index is
    'Place of the log in its block, counted from 0.';
comment on column reporting.skipped_log.role is
    'The side that was skipped: order, alice, bob or inventory. Empty where that is not known.';
comment on column reporting.skipped_log.topic0 is
    'Kind of the event: its first topic; 0x and 64 lower-case hex digits. NULL when the log has no topic.';
comment on column reporting.skipped_log.reason is
    'Why there is no fill: decode, index, pair, zero, range, token, ratio or unpaired; the README explains each.';
comment on column reporting.skipped_log.detail is
    'The reason in words, with what was met.';
comment on column reporting.skipped_log.canonical is
    'Whether the log is part of the chain as it is now; false once a reorg took it.';
comment on column reporting.skipped_log.is_open is
    'True while somebody should look: canonical, neither accepted nor redriven.';
comment on column reporting.skipped_log.accepted_at is
    'Time at which an operator accepted that there is no fill, UTC. NULL if nobody did.';
comment on column reporting.skipped_log.accepted_reason is
    'Why it was accepted. NULL if nobody did.';
comment on column reporting.skipped_log.author is
    'Who accepted it. NULL if nobody did.';
comment on column reporting.skipped_log.redriven_at is
    'Time at which it was read again and gave its fill, UTC. NULL if it did not.';
comment on column reporting.skipped_log.executed_at is
    'Time of the block, UTC.';
comment on column reporting.skipped_log.et_date is
    'Date of executed_at in New York.';
comment on column reporting.skipped_log.et_week is
    'Monday of the week of et_date.';
comment on column reporting.skipped_log.et_month is
    'First day of the month of et_date.';
comment on column reporting.skipped_log.skipped_at is
    'Time at which we skipped it, UTC.';
