-- Profit and loss: derived from facts by the job `pnl`, in versions, so that what was known when stays known.
-- Everything in here can be counted again from the facts: `hedge pnl --rebuild` does.

-- One row, once P&L was counted for the first time: from then on what changes is noted in `pnl_touch`.
create table pnl_begun (
    only_one       boolean     primary key default true,
    begun_at       timestamptz not null,
    constraint pnl_begins_once check (only_one)
);

-- One row per change of a fact that was not counted yet. Only ever added and taken away: it locks nobody out.
create table pnl_touch (
    id             bigint generated always as identity primary key,
    what           text        not null,
    chain_id       bigint,
    block_hash     bytea,
    log_index      int,
    execution      bigint,
    symbol         text,
    since          timestamptz,
    constraint a_touch_is_of_one_thing check (case what
        when 'log'       then chain_id is not null and block_hash is not null and log_index is not null
        when 'execution' then execution is not null
        when 'share'     then symbol is not null and since is not null
        else false
    end)
);

-- One row per run that counted, or refused to publish what it counted.
create table pnl_run (
    id             bigint generated always as identity primary key,
    kind           text        not null,     -- rebuild: from the beginning; change: what changed
    state          text        not null,
    known_at       timestamptz not null,     -- as of when
    shares         bigint      not null,     -- that were counted
    trades         bigint      not null,     -- that were counted
    added          bigint      not null,
    restated       bigint      not null,
    withdrawn      bigint      not null,
    said           text        not null,
    constraint pnl_run_kind_is_known check (kind in ('rebuild', 'change')),
    constraint pnl_run_state_is_known check (state in ('published', 'inconsistent'))
);

-- One row per version of what a trade earned: what is known now has no known_to.
create table pnl_row (
    symbol             text collate "C" not null,
    executed_at        timestamptz      not null,
    trade_type         text             not null,
    trade_id           text collate "C" not null,  -- chain:block:log:role of a fill, the number of an execution
    order_id           bigint,                     -- of an execution
    tie                bigint,                     -- of an execution: which of an order's in one instant
    side               text             not null,
    quantity           numeric(38,18)   not null,
    price              numeric(38,18)   not null,
    cash               numeric(38,18)   not null,  -- what moved, without sign and without fees
    realized_pnl       numeric(38,18),             -- null: it closed nothing
    cumulative_pnl     numeric(38,18)   not null,
    net_position_after numeric(38,18)   not null,
    book_value_after   numeric(38,18)   not null,
    fee                numeric(38,18)   not null,
    cumulative_fees    numeric(38,18)   not null,
    oracle_price       numeric(38,18),
    reference_price    numeric(38,18),
    run                bigint           not null,  -- that opened this version
    known_from         timestamptz      not null,
    known_to           timestamptz,
    cause              text,                       -- the first changed trade of the share; null: the trade itself was new
    ended_by           text,
    constraint trade_type_is_known check (trade_type in ('ONCHAIN', 'OFFCHAIN')),
    constraint pnl_side_is_known check (side in ('BUY', 'SELL')),
    constraint a_trade_is_of_some_shares check (quantity > 0 and cash >= 0 and price >= 0),
    constraint a_version_ends_for_a_reason check ((known_to is null) = (ended_by is null)
                                                  and ended_by in ('restated', 'withdrawn')),
    constraint a_version_ends_after_it_begins check (known_from <= known_to)
);
create unique index a_trade_has_one_version_now on pnl_row (symbol, executed_at, trade_type, trade_id) where known_to is null;
create index pnl_row_that_was on pnl_row (known_to) where known_to is not null;

-- One row per part of a lot that a trade closed, as it is known now.
create table pnl_match (
    symbol         text collate "C" not null,  -- of the closing trade
    closed_at      timestamptz      not null,
    closing_type   text             not null,
    closing_id     text collate "C" not null,
    opened_at      timestamptz      not null,
    opening_type   text             not null,
    opening_id     text collate "C" not null,
    quantity       numeric(38,18)   not null,
    opening_cash   numeric(38,18)   not null,
    closing_cash   numeric(38,18)   not null,
    pnl            numeric(38,18)   not null,
    bucket         text             not null,
    edge           numeric(38,18),
    drift          numeric(38,18),
    slippage       numeric(38,18),
    constraint bucket_is_known check (bucket in ('onchain_netting', 'counter_trade', 'directional')),
    constraint a_match_is_of_some_shares check (quantity > 0),
    constraint a_spread_adds_up check (edge + drift + slippage = pnl)
);
create index pnl_match_by_close on pnl_match (symbol, closed_at);

-- One row per lot that is open now, oldest first.
create table open_lot (
    symbol         text collate "C" not null,
    position       int              not null,
    opening_type   text             not null,
    opening_id     text collate "C" not null,
    opened_at      timestamptz      not null,
    side           text             not null,
    quantity       numeric(38,18)   not null,
    cost           numeric(38,18)   not null,  -- what it cost, or what a short one brought: never negative
    primary key (symbol, position),
    constraint lot_side_is_known check (side in ('LONG', 'SHORT')),
    constraint a_lot_is_of_some_shares check (quantity > 0 and cost >= 0)
);

-- One row per place from which the books of a share can be counted on: everything before `until` is in it.
create table pnl_snapshot (
    symbol         text collate "C" not null,
    until          timestamptz      not null,
    is_last        boolean          not null,  -- all that is known; the others lie at the end of some day
    cumulative_pnl numeric(38,18)   not null,
    cumulative_fees numeric(38,18)  not null,
    lots           jsonb            not null,
    primary key (symbol, until)
);

-- One row per share and New York day on which something happened to it, as it is known now.
create table pnl_day (
    symbol          text collate "C" not null,
    et_date         date             not null,
    trades          bigint           not null,
    bought_quantity numeric(38,18)   not null,
    bought_cash     numeric(38,18)   not null,
    sold_quantity   numeric(38,18)   not null,
    sold_cash       numeric(38,18)   not null,
    onchain_netting numeric(38,18)   not null,
    counter_trade   numeric(38,18)   not null,
    directional     numeric(38,18)   not null,
    attributed      numeric(38,18)   not null,  -- P&L of the matches that are parted into the next three
    edge            numeric(38,18)   not null,
    drift           numeric(38,18)   not null,
    slippage        numeric(38,18)   not null,
    unattributed    bigint           not null,  -- hedged parts of fills that lack an oracle's price or a reference
    fees            numeric(38,18)   not null,
    net_after       numeric(38,18)   not null,  -- after the last trade
    closing_net     numeric(38,18)   not null,  -- at midnight: a split or a new name changes it without a trade
    closing_book    numeric(38,18)   not null,
    primary key (symbol, et_date),
    constraint what_is_parted_adds_up check (edge + drift + slippage = attributed)
);

-- One row per share and day as it was stated. Never changed: what is learnt later is `restated` in a later one.
create table pnl_statement (
    et_date         date             not null,
    symbol          text collate "C" not null,  -- '': cash that is of no one share
    known_at        timestamptz      not null,
    opening_net     numeric(38,18)   not null,
    opening_book    numeric(38,18)   not null,
    opening_market  numeric(38,18),             -- null: there is no mark
    opening_mark    numeric(38,18),
    opening_mark_at timestamptz,
    opening_mark_source text,
    opening_mark_is_stale boolean,
    closing_net     numeric(38,18)   not null,
    closing_book    numeric(38,18)   not null,
    closing_market  numeric(38,18),
    mark            numeric(38,18),
    mark_at         timestamptz,
    mark_source     text,
    mark_is_stale   boolean,
    trades          bigint           not null,
    bought_quantity numeric(38,18)   not null,
    bought_cash     numeric(38,18)   not null,
    sold_quantity   numeric(38,18)   not null,
    sold_cash       numeric(38,18)   not null,
    onchain_netting numeric(38,18)   not null,
    counter_trade   numeric(38,18)   not null,
    directional     numeric(38,18)   not null,
    attributed      numeric(38,18)   not null,
    edge            numeric(38,18)   not null,
    drift           numeric(38,18)   not null,
    slippage        numeric(38,18)   not null,
    costs           numeric(38,18)   not null,
    income          numeric(38,18)   not null,
    net_pnl         numeric(38,18),             -- null: a mark is missing
    restated        numeric(38,18)   not null,
    banked          numeric(38,18)   not null,  -- realized less costs with income, of all days up to this one
    primary key (et_date, symbol),
    constraint a_statement_ties_out check (
        net_pnl = closing_market - opening_market + sold_cash - bought_cash - costs + income),
    constraint a_statement_adds_up check (
        net_pnl = onchain_netting + counter_trade + directional
            + (closing_market - closing_book) - (opening_market - opening_book) - costs + income),
    constraint what_is_not_known_is_no_number check ((net_pnl is null) = (opening_market is null or closing_market is null))
);

-- One row per share, day and kind of cost or income as it was stated.
create table pnl_statement_flow (
    et_date        date             not null,
    symbol         text collate "C" not null,
    kind           text             not null,
    amount         numeric(38,18)   not null,  -- signed: what was paid is negative
    primary key (et_date, symbol, kind)
);

-- Executions that were corrected or taken back are few; whose fee a cash flow is, is asked for each.
create index execution_amended on execution (venue_id, corrects) where nature <> 'trade';
create index cash_flow_by_execution on cash_flow (venue_id, execution_id) where execution_id is not null;
create index cash_flow_by_tx on cash_flow (tx_hash) where tx_hash is not null;

-- What changes facts leaves a note, once P&L was counted for the first time. Whoever begins waits
-- for all who write, and so no change falls between the first count and the first note.
create function pnl_is_touched() returns trigger language plpgsql as $$
begin
    if not exists (select from pnl_begun) then
        return null;
    end if;
    case tg_table_name
        when 'fill', 'chain_log', 'oracle_price' then
            insert into pnl_touch (what, chain_id, block_hash, log_index)
            select distinct 'log', chain_id, block_hash, log_index from changed;
        when 'execution' then
            insert into pnl_touch (what, execution) select 'execution', id from changed;
        when 'corporate_action' then
            insert into pnl_touch (what, symbol, since)
            select 'share', symbol, effective_at from changed where kind <> 'dividend'
            union all
            select 'share', to_symbol, effective_at from changed where kind = 'rename';
        when 'cash_flow' then
            insert into pnl_touch (what, execution)
            select 'execution', e.id from changed c join execution e using (venue_id, execution_id);
            insert into pnl_touch (what, chain_id, block_hash, log_index)
            select 'log', l.chain_id, l.block_hash, l.log_index
            from changed c
            cross join (select distinct chain_id from source) s
            join chain_log l on l.chain_id = s.chain_id and l.tx_hash = c.tx_hash
            where l.taken_by is null;
    end case;
    return null;
end
$$;
create trigger pnl_is_touched after insert on fill
    referencing new table as changed for each statement execute function pnl_is_touched();
create trigger pnl_is_touched after update on chain_log
    referencing new table as changed for each statement execute function pnl_is_touched();
create trigger pnl_is_touched after insert on oracle_price
    referencing new table as changed for each statement execute function pnl_is_touched();
create trigger pnl_is_touched after insert on execution
    referencing new table as changed for each statement execute function pnl_is_touched();
create trigger an_order_that_is_found_is_touched after update on execution
    referencing new table as changed for each statement execute function pnl_is_touched();
create trigger pnl_is_touched after insert on corporate_action
    referencing new table as changed for each statement execute function pnl_is_touched();
create trigger an_action_that_is_withdrawn_is_touched after update on corporate_action
    referencing new table as changed for each statement execute function pnl_is_touched();
create trigger pnl_is_touched after insert on cash_flow
    referencing new table as changed for each statement execute function pnl_is_touched();

-- What was stated is never stated otherwise.
create trigger facts_are_never_edited before update or delete or truncate on pnl_statement
    for each statement execute function facts_are_never_edited();
create trigger facts_are_never_edited before update or delete or truncate on pnl_statement_flow
    for each statement execute function facts_are_never_edited();
