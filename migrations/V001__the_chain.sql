-- What the chain said: facts, how far they are written, and how they were believed.
-- Hashes and addresses are bytea with their length checked; money is numeric.

-- One row per place that fills come from: a contract on a chain, read for our owners.
create table source (
    id            int generated always as identity primary key,
    name          text        not null constraint a_source_has_one_name unique,
    chain_id      bigint      not null,
    kind          text        not null,
    address       bytea       not null,
    owners        bytea[]     not null,
    from_block    bigint      not null,
    created_at    timestamptz not null default now(),
    constraint source_kind_is_known check (kind in ('raindex-v4', 'raindex-v5', 'raindex-v6', 'raindex-inventory')),
    constraint source_address_is_20_bytes check (octet_length(address) = 20),
    constraint source_begins_at_a_block check (from_block >= 0),
    constraint one_source_per_contract unique (chain_id, address)
);

-- One row per header we rely on: the window behind the head, and the ends of ranges.
create table chain_block (
    chain_id      bigint      not null,
    hash          bytea       not null,
    number        bigint      not null,
    parent_hash   bytea       not null,
    block_time    timestamptz not null,
    primary key (chain_id, hash),
    constraint block_hash_is_32_bytes check (octet_length(hash) = 32),
    constraint parent_hash_is_32_bytes check (octet_length(parent_hash) = 32)
);
create index chain_block_by_number on chain_block (chain_id, number);

-- One row per change of mind: the chain's (reorg), an operator's (rewind), or
-- the auditor's (a log that the chain does not have).
create table reorg (
    id            bigint generated always as identity primary key,
    source_id     int         not null references source,
    cause         text        not null,
    fork_number   bigint      not null,
    fork_hash     bytea       not null,
    old_number    bigint      not null,
    old_hash      bytea       not null,
    new_hash      bytea,
    depth         bigint      generated always as (old_number - fork_number) stored,
    logs_taken    bigint      not null default 0,
    reason        text,
    author        text,
    happened_at   timestamptz not null default now(),
    constraint reorg_cause_is_known check (cause in ('chain', 'operator', 'audit')),
    constraint an_operator_gives_a_reason check (cause <> 'operator' or (reason is not null and author is not null)),
    constraint reorg_hashes_are_32_bytes check (octet_length(fork_hash) = 32 and octet_length(old_hash) = 32
                                                and (new_hash is null or octet_length(new_hash) = 32)),
    constraint reorg_goes_back check (fork_number <= old_number)
);

-- One row per log of ours, raw, with its block's hash. `taken_by` is the only
-- column that anything may update: the reorg that took the log, or null.
create table chain_log (
    chain_id      bigint      not null,
    block_hash    bytea       not null,
    log_index     int         not null,
    source_id     int         not null references source,
    block_number  bigint      not null,
    block_time    timestamptz not null,
    tx_hash       bytea       not null,
    tx_index      int         not null,
    topics        bytea       not null,  -- the topics, 32 bytes each, one after the other
    data          bytea       not null,
    taken_by      bigint      references reorg,
    primary key (chain_id, block_hash, log_index),
    constraint log_hashes_are_32_bytes check (octet_length(block_hash) = 32 and octet_length(tx_hash) = 32),
    constraint topics_are_whole check (octet_length(topics) % 32 = 0 and octet_length(topics) <= 128)
);
create unique index a_log_is_canonical_once on chain_log (chain_id, tx_hash, log_index) where taken_by is null;
create index chain_log_by_place on chain_log (source_id, block_number);

-- One row per side of ours in one onchain trade, read from a log.
create table fill (
    chain_id             bigint         not null,
    block_hash           bytea          not null,
    log_index            int            not null,
    role                 text           not null,
    owner                bytea          not null,
    side                 text           not null,
    symbol               text           not null,
    token                bytea          not null,
    token_quantity       numeric(38,18) not null,
    token_quantity_exact numeric        not null,
    usdc                 numeric(38,18) not null,
    usdc_exact           numeric        not null,
    wrapper_ratio        numeric(38,18) not null,
    quantity             numeric(38,18) not null,
    price                numeric        not null,
    vault_in             bytea,
    vault_out            bytea,
    primary key (chain_id, block_hash, log_index, role),
    constraint a_fill_is_read_from_a_log foreign key (chain_id, block_hash, log_index) references chain_log,
    constraint fill_role_is_known check (role in ('order', 'alice', 'bob', 'inventory')),
    constraint fill_side_is_known check (side in ('BUY', 'SELL')),
    constraint fill_addresses_are_20_bytes check (octet_length(owner) = 20 and octet_length(token) = 20),
    constraint fill_quantity_is_positive check (token_quantity > 0 and quantity >= 0 and wrapper_ratio > 0),
    constraint fill_usdc_is_never_negative check (usdc >= 0 and price >= 0)
);

-- One row per deposit into or withdrawal from a vault of ours.
create table vault_move (
    chain_id       bigint  not null,
    block_hash     bytea   not null,
    log_index      int     not null,
    kind           text    not null,
    owner          bytea   not null,
    token          bytea   not null,
    vault_id       bytea   not null,
    amount         numeric(38,18) not null,  -- whole tokens, signed: a withdrawal is negative
    amount_exact   numeric not null,
    primary key (chain_id, block_hash, log_index),
    constraint a_vault_move_is_read_from_a_log foreign key (chain_id, block_hash, log_index) references chain_log,
    constraint vault_move_kind_is_known check (kind in ('deposit', 'withdrawal')),
    constraint vault_move_has_its_sign check (case kind when 'deposit' then amount_exact >= 0 else amount_exact <= 0 end),
    constraint vault_move_addresses check (octet_length(owner) = 20 and octet_length(token) = 20 and octet_length(vault_id) = 32)
);

-- One row per log that is ours but gives no fill, and why.
create table skipped_log (
    id             bigint generated always as identity primary key,
    chain_id       bigint      not null,
    block_hash     bytea       not null,
    log_index      int         not null,
    role           text        not null,   -- the side that was skipped; '' where that is not known
    reason         text        not null,
    detail         text        not null,
    skipped_at     timestamptz not null default now(),
    constraint a_log_is_skipped_once_per_side unique (chain_id, block_hash, log_index, role),
    constraint a_skip_is_of_a_log foreign key (chain_id, block_hash, log_index) references chain_log,
    constraint skip_reason_is_known check (reason in ('decode', 'index', 'pair', 'zero', 'range', 'token', 'ratio', 'unpaired'))
);

-- One row per act on a skipped log: an operator accepted it, or a re-drive gave its fill.
create table skipped_log_act (
    skipped_id     bigint      not null references skipped_log,
    act            text        not null,
    reason         text        not null,
    author         text        not null,
    acted_at       timestamptz not null default now(),
    primary key (skipped_id, act),
    constraint skip_act_is_known check (act in ('accepted', 'redriven'))
);

-- One row per source: how far it is written, number and hash.
create table cursor (
    source_id      int         primary key references source,
    number         bigint      not null,
    hash           bytea       not null,
    block_time     timestamptz not null,
    head           bigint,                  -- the newest block a node spoke of, when we last looked
    safe           bigint,
    finalized      bigint,
    looked_at      timestamptz not null default now(),
    moved_at       timestamptz not null default now(),
    stopped_at     timestamptz,
    stopped_why    text,
    constraint cursor_hash_is_32_bytes check (octet_length(hash) = 32),
    constraint a_stop_has_its_reason check ((stopped_at is null) = (stopped_why is null))
);

-- One row per range of blocks as it was read, and how it was believed.
-- The ranges of a source cover from its first block to its cursor, without gap or overlap.
create table block_range (
    source_id      int         not null references source,
    from_block     bigint      not null,
    to_block       bigint      not null,
    to_hash        bytea       not null,   -- what the range's last block was: the anchor of a later audit
    verdict        text        not null,
    node           text        not null,
    logs           bigint      not null,   -- logs of ours in it
    foreign_logs   bigint      not null,   -- logs of other owners, counted only
    read_at        timestamptz not null default now(),
    primary key (source_id, from_block),
    constraint range_hash_is_32_bytes check (octet_length(to_hash) = 32),
    constraint verdict_is_known check (verdict in ('taken', 'bloom', 'cross-checked', 'proved')),
    constraint a_range_has_blocks check (0 <= from_block and from_block <= to_block and to_block < 1099511627776),
    constraint ranges_do_not_overlap exclude using gist (
        int8range(source_id * 1099511627776 + from_block, source_id * 1099511627776 + to_block + 1) with &&)
);

-- One row per time two answers about one block could not both be true.
create table node_contradiction (
    id             bigint generated always as identity primary key,
    chain_id       bigint      not null,
    source_id      int         references source,
    block_number   bigint      not null,
    block_hash     bytea,
    node           text        not null,   -- the one that was wrong, or that we cannot tell from the other
    said           text        not null,
    against        text        not null,   -- the other node, or the proof
    against_said   text        not null,
    found_by       text        not null,
    times          bigint      not null default 1,
    found_at       timestamptz not null default now(),
    found_last_at  timestamptz not null default now(),
    constraint a_contradiction_is_told_once unique (chain_id, node, block_number, said, against_said),
    constraint contradiction_is_found_by check (found_by in ('head', 'backfill', 'audit')),
    constraint contradiction_hash_is_32_bytes check (block_hash is null or octet_length(block_hash) = 32)
);

-- One row per node and limit: what it refuses, learnt once and kept across restarts.
create table node_limit (
    chain_id       bigint      not null,
    node           text        not null,
    largest_ok     bigint      not null,
    smallest_refused bigint,
    batches        boolean     not null,
    receipts       boolean     not null,
    learnt_at      timestamptz not null default now(),
    primary key (chain_id, node)
);

-- One row per token we have met: what it says of itself.
create table token (
    chain_id       bigint      not null,
    address        bytea       not null,
    symbol         text        not null,
    decimals       int         not null,
    read_at        timestamptz not null default now(),
    primary key (chain_id, address),
    constraint token_address_is_20_bytes check (octet_length(address) = 20),
    constraint token_decimals_are_sane check (decimals between 0 and 77)
);
