-- One row per time two answers about one block could not both be true.
create view reporting.node_contradiction as
select
    n.id                                                    as contradiction_id,
    n.chain_id,
    s.name                                                  as source,
    n.block_number,
    '0x' || encode(n.block_hash, 'hex')                     as block_hash,
    n.node,
    n.said,
    n.against,
    n.against_said,
    n.found_by,
    n.times,
    n.found_at,
    n.found_last_at
from node_contradiction n
left join source s on s.id = n.source_id;

comment on view reporting.node_contradiction is
    'One row per time two answers about one block could not both be true: who lies, or at least one of whom.';
comment on column reporting.node_contradiction.contradiction_id is
    'Its number.';
comment on column reporting.node_contradiction.chain_id is
    'Number of the chain, as in EIP-155: 8453 is Base.';
comment on column reporting.node_contradiction.source is
    'Name of the source in hedge.toml. NULL when it concerns the whole chain.';
comment on column reporting.node_contradiction.block_number is
    'Number of the block in question.';
comment on column reporting.node_contradiction.block_hash is
    'Hash of the block in question; 0x and 64 lower-case hex digits. NULL when there was none to name.';
comment on column reporting.node_contradiction.node is
    'The node that was wrong, or that we cannot tell from the other, without its credentials.';
comment on column reporting.node_contradiction.said is
    'What it said.';
comment on column reporting.node_contradiction.against is
    'The other node, or the proof, that contradicts it.';
comment on column reporting.node_contradiction.against_said is
    'What that one said.';
comment on column reporting.node_contradiction.found_by is
    'Where it was met: head, backfill or audit.';
comment on column reporting.node_contradiction.found_at is
    'Time at which it was met first, UTC.';
comment on column reporting.node_contradiction.times is
    'How often the same was said again.';
comment on column reporting.node_contradiction.found_last_at is
    'Time at which it was met last, UTC.';
