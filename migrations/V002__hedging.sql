-- From exposure to a broker and back: orders, executions, what covers what, and who may act.
-- Quantities are underlying shares, exact. What happened is written once: triggers at the
-- end see to it, whoever writes.

-- One row: who may plan and send. A fence is never given twice, and every plan names it.
create table lease (
    only_one      boolean     primary key default true,
    deployment    text        not null default left(replace(gen_random_uuid()::text, '-', ''), 8),
    fence         bigint      not null,
    holder        text        not null,
    taken_at      timestamptz not null,
    expires_at    timestamptz not null,
    constraint there_is_one_lease check (only_one)
);

-- One row per broker and environment that we ever traded at.
create table venue (
    id            int generated always as identity primary key,
    name          text        not null,
    broker        text        not null,
    environment   text        not null,
    account       text,                    -- the account we met there first
    scanned_to    timestamptz,             -- its orders and executions are known up to here
    constraint a_venue_is_one_broker_in_one_environment unique (name, broker, environment),
    constraint venue_broker_is_known check (broker in ('alpaca', 'schwab', 'paper')),
    constraint venue_environment_is_known check (environment in ('paper', 'live'))
);

-- One row per source that is hedged: its fills from this block on are exposure.
create table go_live (
    source_id     int         primary key references source,
    from_block    bigint      not null,
    reason        text        not null,
    author        text        not null,
    happened_at   timestamptz not null default now(),
    constraint hedging_begins_at_a_block check (from_block >= 0)
);

-- One row per source: which of its fills the hedger may act on, and which of them are summed
-- in `fill_close`. Derived, and only ever ahead: a reorg alone takes it back.
create table release (
    source_id     int         primary key references source,
    from_block    bigint      not null,    -- the first block whose fills count
    to_block      bigint      not null,    -- the last one so far
    closed_to     bigint      not null,    -- up to here `fill_close` has them
    constraint a_release_goes_forward check (from_block - 1 <= closed_to)
);

-- One row per source and share: its released fills up to `release.closed_to`, summed.
create table fill_close (
    source_id     int            not null references release on delete cascade,
    symbol        text           not null,
    quantity      numeric(38,18) not null,  -- signed: bought on chain is positive
    last_fill     numeric[],                -- of the last fill with a price: seconds since 1970, block, log, USDC, shares
    primary key (source_id, symbol)
);

-- One row per position that was there before hedging began, or is stated since.
create table opening_position (
    id            bigint generated always as identity primary key,
    symbol        text           not null,
    quantity      numeric(38,18) not null,  -- signed: what is long is positive
    reason        text           not null,
    author        text           not null,
    happened_at   timestamptz    not null default now()
);

-- One row per correction of the books by a person: never an edit.
create table correction (
    id            bigint generated always as identity primary key,
    symbol        text           not null,
    quantity      numeric(38,18) not null,  -- signed: added to the position
    reason        text           not null,
    author        text           not null,
    happened_at   timestamptz    not null default now(),
    constraint a_correction_changes_something check (quantity <> 0)
);

-- One row per act of halting or resuming: a share, or (null) everything.
create table halt (
    id            bigint generated always as identity primary key,
    symbol        text,
    act           text        not null,
    reason        text        not null,
    author        text        not null,
    happened_at   timestamptz not null default now(),
    constraint halt_act_is_known check (act in ('halt', 'resume'))
);

-- One row per order: what we asked a broker to do, and how far it got.
create table hedge_order (
    id               bigint generated always as identity primary key,
    venue_id         int            not null references venue,
    client_order_id  text           not null constraint a_client_id_is_used_once unique,
    purpose          text           not null,
    symbol           text           not null,
    side             text           not null,
    quantity         numeric(38,18) not null,
    terms            text           not null,
    limit_price      numeric(38,18),
    exposure         numeric(38,18),          -- the net exposure that it was planned for
    reference_price  numeric(38,18),          -- what it was sized by
    reference_source text,
    reference_at     timestamptz,
    reason           text,
    author           text,
    fence            bigint         not null,
    state            text           not null default 'planned',
    filled           numeric(38,18) not null default 0,
    why              text,
    refusal          text,
    cash             numeric(38,18),          -- at a refusal, where it was known
    held             numeric(38,18),          -- what the account held of the share when it was sent, where that was known
    broker_order_id  text,
    planned_at       timestamptz    not null default now(),
    sent_at          timestamptz,
    accepted_at      timestamptz,
    cancel_asked_at  timestamptz,
    closed_at        timestamptz,
    constraint order_purpose_is_known check (purpose in ('hedge', 'manual')),
    constraint a_manual_order_has_its_reason check (purpose <> 'manual' or (reason is not null and author is not null)),
    constraint order_side_is_known check (side in ('BUY', 'SELL')),
    constraint an_order_is_for_some_shares check (quantity > 0),
    constraint order_terms_are_known check (case terms
        when 'market' then limit_price is null
        when 'extended limit' then limit_price > 0
        else false
    end),
    constraint a_reference_has_source_and_time check (
        (reference_price is null) = (reference_source is null) and (reference_price is null) = (reference_at is null)),
    constraint what_was_filled_is_never_negative check (filled >= 0),
    constraint an_order_is_in_one_state check (case state
        when 'planned'   then sent_at is null     and accepted_at is null     and closed_at is null and filled = 0
        when 'sent'      then sent_at is not null and accepted_at is null     and closed_at is null and filled = 0
        when 'working'   then sent_at is not null and accepted_at is not null and closed_at is null
        when 'ambiguous' then sent_at is not null and closed_at is null
        when 'closed'    then closed_at is not null
        else false
    end),
    constraint a_closed_order_has_its_reason check ((state = 'closed') = (why is not null)),
    constraint closing_reason_is_known check (case why
        when 'filled'       then filled >= quantity
        when 'never placed' then filled = 0
        when 'canceled'     then true
        when 'expired'      then true
        when 'refused'      then true
        when 'resolved'     then true
        else why is null
    end),
    constraint a_refusal_is_of_a_refused_order check (refusal is null or why = 'refused')
);
create unique index one_live_hedge_per_symbol on hedge_order (symbol) where state <> 'closed' and purpose = 'hedge';
create index hedge_order_live on hedge_order (symbol) where state <> 'closed';
create index hedge_order_by_symbol on hedge_order (symbol, id);
create index hedge_order_by_day on hedge_order (planned_at);

-- One row per id that a broker gave to an order of ours: whose it is, for good.
create table broker_order (
    venue_id         int            not null references venue,
    broker_order_id  text           not null,
    order_id         bigint         not null references hedge_order,
    filled           numeric(38,18) not null default 0,  -- as the broker said last, of this id
    status           text           not null,            -- the broker's own word, last
    seen_at          timestamptz    not null default now(),
    primary key (venue_id, broker_order_id),
    constraint a_broker_says_what_it_filled check (filled >= 0)
);
create index broker_order_by_order on broker_order (order_id);

-- One row per move of an order, with what it rests on.
create table order_event (
    id            bigint generated always as identity primary key,
    order_id      bigint      not null references hedge_order,
    event         text        not null,
    state         text        not null,    -- what the order was after it
    detail        text        not null,    -- in words
    evidence      text,                    -- the broker's answer as it came, cut
    author        text,
    happened_at   timestamptz not null default now(),
    constraint order_event_is_known check (event in (
        'planned', 'sent', 'sent again', 'not sent', 'unanswered', 'accepted', 'found', 'searched',
        'executed', 'strange', 'stuck', 'cancel asked', 'doubted', 'closed'))
);
create index order_event_by_order on order_event (order_id, id);

-- One row per trade of ours at a broker, or what was taken back of one, under the broker's own id.
create table execution (
    id               bigint generated always as identity primary key,
    venue_id         int            not null references venue,
    execution_id     text           not null,
    order_id         bigint         references hedge_order,  -- null: nobody here ordered it, as far as is known
    broker_order_id  text,
    symbol           text           not null,
    nature           text           not null,
    quantity         numeric(38,18) not null,  -- signed: bought is positive
    price            numeric(38,18) not null,
    cash             numeric(38,18) not null,  -- signed: what was paid is negative; without fees
    executed_at      timestamptz    not null,
    corrects         text,
    booked_at        timestamptz    not null default now(),
    constraint an_execution_is_booked_once unique (venue_id, execution_id),
    constraint execution_nature_is_known check (nature in ('trade', 'correction', 'bust')),
    constraint a_correction_names_what_it_corrects check ((nature = 'trade') = (corrects is null)),
    constraint an_execution_has_a_price check (price >= 0)
);
create index execution_by_symbol on execution (symbol, executed_at, id) include (quantity, order_id);
create index execution_by_order on execution (order_id) where order_id is not null;

-- One row per part of an order, in the order of filling: which exposure it hedges.
create table cover (
    order_id      bigint         not null references hedge_order,
    place         int            not null,
    what          text           not null,   -- a fill; an execution of ours, undone; or what was stated
    chain_id      bigint,
    block_hash    bytea,
    log_index     int,
    role          text,
    execution     bigint         references execution,
    quantity      numeric(38,18) not null,
    primary key (order_id, place),
    constraint a_cover_is_of_one_thing check (case what
        when 'fill'      then role is not null and execution is null
        when 'execution' then role is null and execution is not null
        when 'stated'    then role is null and execution is null
        else false
    end),
    constraint a_covered_fill_is_on_record foreign key (chain_id, block_hash, log_index, role) references fill,
    constraint a_cover_is_of_some_shares check (quantity > 0)
);
create index cover_by_fill on cover (chain_id, block_hash, log_index) where what = 'fill';

-- One row per order in our accounts that is not of ours.
create table foreign_order (
    venue_id         int         not null references venue,
    broker_order_id  text        not null,
    symbol           text        not null,
    side             text        not null,
    quantity         numeric(38,18),
    status           text        not null,
    said             text        not null,
    submitted_at     timestamptz not null,
    seen_at          timestamptz not null default now(),
    primary key (venue_id, broker_order_id)
);

-- One row per share that something could be done about and is not, and why.
create table hold (
    symbol        text        primary key,
    reason        text        not null,
    detail        text        not null,
    since         timestamptz not null default now(),  -- for this reason
    seen_at       timestamptz not null default now()
);

-- What follows keeps `fill_close` true: a fill that comes or goes below the closing line
-- opens the books of its source again.
-- Who sums them holds the row of `release` meanwhile, and so do we: neither misses the other.
create function open_closed_fills() returns trigger language plpgsql as $$
declare
    place record;
begin
    if not exists (select from release) then
        return null;
    end if;
    if tg_table_name = 'fill' then
        select l.source_id, min(l.block_number) as block_number into place
        from changed join chain_log l using (chain_id, block_hash, log_index) group by l.source_id;
    else
        select source_id, min(block_number) as block_number into place from changed group by source_id;
    end if;
    perform from release where source_id = place.source_id for share;
    update release set closed_to = from_block - 1
    where source_id = place.source_id and closed_to >= place.block_number;
    return null;
end
$$;
create trigger a_late_fill_opens_the_books after insert on fill
    referencing new table as changed for each statement execute function open_closed_fills();
create trigger a_taken_log_opens_the_books after update on chain_log
    referencing new table as changed for each statement execute function open_closed_fills();
create function forget_closed_fills() returns trigger language plpgsql as $$
begin
    delete from fill_close where source_id = new.source_id;
    return null;
end
$$;
create trigger opened_books_are_summed_again after update of closed_to, from_block on release
    for each row when (new.closed_to < old.closed_to or new.from_block <> old.from_block)
    execute function forget_closed_fills();

-- What was filled never shrinks, and what is closed stays closed; a trade that is told late still counts.
create function orders_go_forward() returns trigger language plpgsql as $$
begin
    raise exception 'order % is closed, or would be filled less', old.id
        using errcode = 'integrity_constraint_violation';
end
$$;
create trigger orders_go_forward before update on hedge_order
    for each row when (new.filled < old.filled or (old.state = 'closed' and (new.state, new.why) is distinct from (old.state, old.why)))
    execute function orders_go_forward();

-- Facts are written once. Of a log only `taken_by` may change.
create function facts_are_never_edited() returns trigger language plpgsql as $$
begin
    raise exception '% of % refused: facts are never edited', tg_op, tg_table_name
        using errcode = 'insufficient_privilege';
end
$$;
do $$
declare
    fact text;
begin
    foreach fact in array array['fill', 'vault_move', 'go_live', 'opening_position', 'correction', 'halt',
                                'order_event', 'cover'] loop
        execute format('create trigger facts_are_never_edited before update or delete or truncate on %I
                        for each statement execute function facts_are_never_edited()', fact);
    end loop;
end
$$;
create trigger facts_are_never_edited before delete or truncate or
    update of chain_id, block_hash, log_index, source_id, block_number, block_time, tx_hash, tx_index, topics, data
    on chain_log for each statement execute function facts_are_never_edited();
-- Of an execution only its order may be filled in, once: whose it was is learnt late where an
-- order was adopted, or went on under another id.
create trigger facts_are_never_edited before delete or truncate or
    update of venue_id, execution_id, broker_order_id, symbol, nature, quantity, price, cash, executed_at, corrects, booked_at
    on execution for each statement execute function facts_are_never_edited();
create trigger an_execution_is_claimed_once before update of order_id on execution
    for each row when (old.order_id is not null) execute function facts_are_never_edited();
