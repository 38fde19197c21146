-- What transactions of ours cost who paid for them, and what ETH was worth then.

-- One row per address that pays for transactions of ours: as the configuration had it last.
create table gas_payer (
    chain_id       bigint         not null,
    address        bytea          not null,
    primary key (chain_id, address),
    constraint payer_is_20_bytes check (octet_length(address) = 20)
);

-- One row per receipt of a transaction with a log of ours, whoever paid for it.
create table gas (
    tx_hash        bytea          not null,
    block_hash     bytea          not null,
    chain_id       bigint         not null,
    block_number   bigint         not null,
    block_time     timestamptz    not null,
    payer          bytea          not null,          -- the receipt's `from`
    used           bigint         not null,
    price          numeric(38,18) not null,          -- ETH for one of those used: wei, exactly
    l1_fee         numeric(38,18),                   -- ETH that the chain charged for its data besides; null: the receipt names none
    eth            numeric(38,18) not null generated always as (used * price + coalesce(l1_fee, 0)) stored,
    read_at        timestamptz    not null default now(),
    primary key (tx_hash, block_hash, chain_id),
    constraint gas_is_of_a_transaction check (octet_length(tx_hash) = 32 and octet_length(block_hash) = 32 and octet_length(payer) = 20),
    constraint gas_is_paid_not_earned check (used >= 0 and price >= 0 and l1_fee >= 0)
);
create index gas_by_payer on gas (chain_id, payer);
create trigger facts_are_never_edited before update or delete or truncate on gas
    for each statement execute function facts_are_never_edited();

-- One row per block in which a payer of ours paid: what ETH was worth at its end, or why that is not known so far.
create table ether_price (
    chain_id       bigint         not null,
    block_hash     bytea          not null,
    feed           bytea          not null,
    price          numeric(38,18),                   -- dollars for one ETH; once it is known it stays
    published_at   timestamptz,
    missing        text,
    attempts       int            not null default 1,
    asked_at       timestamptz    not null,
    primary key (chain_id, block_hash, feed),
    constraint a_missing_price_has_its_reason check ((price is null) = (missing is not null) and (price is null) = (published_at is null)),
    constraint ether_is_worth_something check (price > 0),
    constraint ether_feed_is_32_bytes check (octet_length(feed) = 32 and octet_length(block_hash) = 32)
);
