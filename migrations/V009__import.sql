-- What was taken over from the earlier system's database: kept apart from our own facts, for good.
-- None of it is a fill or an execution of these books: of all this only what was open when
-- hedging began counts here, as `opening_position`.

-- One row per file that was taken over.
create table import (
    id             int generated always as identity primary key,
    digest         bytea       not null constraint a_file_is_imported_once unique,  -- SHA-256 of the file
    file           text        not null,
    author         text        not null,
    imported_at    timestamptz not null,
    constraint digest_is_32_bytes check (octet_length(digest) = 32)
);

-- One row per onchain trade of the earlier system.
create table imported_trade (
    tx_hash        bytea          not null,
    log_index      int            not null,
    import_id      int            not null references import,  -- the first file that had it
    trade_id       bigint         not null,  -- its id there
    token_symbol   text           not null,  -- as it stood there: tAAPL
    symbol         text           not null,
    side           text           not null,
    quantity       numeric(38,18) not null,
    price          numeric(38,18) not null,  -- dollars per share
    executed_at    timestamptz,              -- of the block; null: it was not kept there
    primary key (tx_hash, log_index),
    constraint imported_tx_hash_is_32_bytes check (octet_length(tx_hash) = 32),
    constraint imported_trade_side_is_known check (side in ('BUY', 'SELL')),
    constraint an_imported_trade_is_of_some_shares check (quantity > 0 and price > 0 and log_index >= 0)
);

-- One row per order of the earlier system at a broker that had ended.
create table imported_execution (
    execution_id   bigint         primary key,  -- its id there
    import_id      int            not null references import,
    symbol         text           not null,
    side           text           not null,
    quantity       numeric(38,18) not null,
    price          numeric(38,18),           -- dollars per share; null where nothing was filled
    status         text           not null,
    broker         text,
    order_id       text,                     -- the broker's id
    executed_at    timestamptz,
    constraint imported_execution_side_is_known check (side in ('BUY', 'SELL')),
    constraint an_imported_execution_has_ended check (status in ('FILLED', 'FAILED')),
    constraint an_imported_execution_is_of_some_shares check (quantity > 0),
    constraint what_was_filled_there_has_a_price check (status = 'FAILED' or price >= 0)
);

-- One row per part of a trade that an execution of the earlier system hedged.
create table imported_link (
    trade_id       bigint         not null,
    execution_id   bigint         not null,
    import_id      int            not null references import,
    quantity       numeric(38,18) not null,
    primary key (trade_id, execution_id)
);

-- One row per line of the earlier system's own P&L.
create table imported_profit (
    trade_type     text           not null,
    trade_id       bigint         not null,
    import_id      int            not null references import,
    symbol         text           not null,
    side           text           not null,
    quantity       numeric(38,18) not null,
    price          numeric(38,18) not null,
    realized       numeric(38,18),           -- null: nothing was closed
    cumulative     numeric(38,18) not null,
    net_after      numeric(38,18) not null,  -- signed: what was long is positive
    executed_at    timestamptz    not null,
    primary key (trade_type, trade_id),
    constraint imported_profit_type_is_known check (trade_type in ('ONCHAIN', 'OFFCHAIN')),
    constraint imported_profit_side_is_known check (side in ('BUY', 'SELL'))
);

-- One row per share and import: what all imports so far net to, and what was stated of it.
create table imported_position (
    import_id      int            not null references import,
    symbol         text           not null,
    net            numeric(38,18) not null,  -- signed: trades and filled executions, summed
    accumulator    numeric(38,18),           -- what the earlier system said; null: it did not
    stated         numeric(38,18) not null,  -- the opening position written with this import
    said           text           not null,  -- why so much
    primary key (import_id, symbol)
);

-- One row per row of a file that did not fit, and why.
create table imported_misfit (
    import_id      int    not null references import,
    place          int    not null,          -- in the order of reading
    table_name     text   not null,
    row_number     bigint not null,          -- SQLite's rowid
    column_name    text   not null,
    value          text   not null,
    why            text   not null,
    primary key (import_id, place)
);

do $$
declare
    fact text;
begin
    foreach fact in array array['import', 'imported_trade', 'imported_execution', 'imported_link', 'imported_profit',
                                'imported_position', 'imported_misfit'] loop
        execute format('create trigger facts_are_never_edited before update or delete or truncate on %I
                        for each statement execute function facts_are_never_edited()', fact);
    end loop;
end
$$;
