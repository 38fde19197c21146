-- One row per range of blocks as it was read, and how it was believed.
create view reporting.block_range as
select
    s.name                                                  as source,
    s.chain_id,
    b.from_block,
    b.to_block,
    '0x' || encode(b.to_hash, 'hex')                        as to_hash,
    b.to_block - b.from_block + 1                           as blocks,
    b.verdict,
    array_position(array['taken', 'bloom', 'cross-checked', 'proved'], b.verdict) as verdict_rank,
    b.node,
    b.logs,
    b.foreign_logs,
    b.read_at
from block_range b
join source s on s.id = b.source_id;

comment on view reporting.block_range is
    'One row per range of blocks as it was read, and how it was believed. The ranges of a source cover it up to its cursor, without gap or overlap.';
comment on column reporting.block_range.source is
    'Name of the source in hedge.toml.';
comment on column reporting.block_range.chain_id is
    'Number of the chain, as in EIP-155: 8453 is Base.';
comment on column reporting.block_range.from_block is
    'Number of the first block of the range.';
comment on column reporting.block_range.to_block is
    'Number of the last block of the range.';
comment on column reporting.block_range.to_hash is
    'Hash of the last block of the range; 0x and 64 lower-case hex digits.';
comment on column reporting.block_range.blocks is
    'Number of blocks in the range, both ends included.';
comment on column reporting.block_range.verdict is
    'How we know that nothing is missing: taken (the answer agrees with itself), bloom, cross-checked (a second reading agrees) or proved (receipts recomputed).';
comment on column reporting.block_range.verdict_rank is
    'The verdict as a number, for sorting: 1 taken, 2 bloom, 3 cross-checked, 4 proved.';
comment on column reporting.block_range.node is
    'The node that answered, without its credentials.';
comment on column reporting.block_range.logs is
    'Number of logs of ours in the range.';
comment on column reporting.block_range.foreign_logs is
    'Number of logs of other owners in the range; they are counted and not kept.';
comment on column reporting.block_range.read_at is
    'Time at which it was read, UTC.';
