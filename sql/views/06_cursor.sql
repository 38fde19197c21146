-- One row per source: how far it is written, and how far that is behind.
create view reporting.cursor as
select
    s.name                                                  as source,
    s.chain_id,
    c.number,
    '0x' || encode(c.hash, 'hex')                           as hash,
    c.block_time,
    c.head,
    c.safe,
    c.finalized,
    greatest(c.head - c.number, 0)                          as lag_blocks,
    greatest(extract(epoch from c.looked_at - c.block_time), 0)::bigint as lag_seconds,
    c.looked_at,
    c.moved_at,
    c.stopped_at,
    c.stopped_why
from cursor c
join source s on s.id = c.source_id;

comment on view reporting.cursor is
    'One row per source: how far it is written, and how far that is behind. A source that has written nothing yet has no row.';
comment on column reporting.cursor.source is
    'Name of the source in hedge.toml.';
comment on column reporting.cursor.chain_id is
    'Number of the chain, as in EIP-155: 8453 is Base.';
comment on column reporting.cursor.number is
    'Number of the last block written down.';
comment on column reporting.cursor.hash is
    'Hash of that block; 0x and 64 lower-case hex digits.';
comment on column reporting.cursor.block_time is
    'Time of that block, UTC.';
comment on column reporting.cursor.head is
    'Number of the newest block that a node spoke of when we last looked. NULL before we looked.';
comment on column reporting.cursor.safe is
    'Number of the newest block the node calls safe. NULL when it does not say.';
comment on column reporting.cursor.finalized is
    'Number of the newest block the node calls finalized. NULL when it does not say.';
comment on column reporting.cursor.lag_blocks is
    'Blocks from number to head, never negative. NULL before we looked.';
comment on column reporting.cursor.lag_seconds is
    'Seconds from block_time to looked_at, never negative: how old the newest thing we know was when we last looked.';
comment on column reporting.cursor.looked_at is
    'Time at which we last looked at the chain, UTC. An old one means that nothing runs.';
comment on column reporting.cursor.moved_at is
    'Time at which the cursor last moved, UTC.';
comment on column reporting.cursor.stopped_at is
    'Time at which the source was stopped, UTC. NULL while it goes on.';
comment on column reporting.cursor.stopped_why is
    'Why it was stopped and waits for a person. NULL while it goes on.';
