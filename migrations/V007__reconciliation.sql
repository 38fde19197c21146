-- What the books are proved with: runs, what each looked at and came to, and what became of every break.
-- Runs are written once, whole, in one transaction; a break is what its events have left of it.

-- One row per entry in an account that is neither a fill nor an execution nor a cash flow: what a person
-- stated, what moved from one place of ours to another, what came from outside, what was booked wrong.
create table account_entry (
    id             bigint generated always as identity primary key,
    kind           text           not null,
    leg            text           not null,          -- vault, wallet, broker, cash: as in recon_leg
    account        text           not null,
    instrument     text           not null,
    amount         numeric(38,18) not null,          -- signed: what the account gained; of an opening, what it held
    as_of          timestamptz    not null,          -- counts in every cut from here on
    refs           text[]         not null,          -- evidence that it takes up: it explains nothing any more
    transfer       text,                             -- the transfer that it is one end of
    deadline       timestamptz,                      -- of the end that leaves: when the other should have come
    break_id       bigint,                           -- the break that it mends
    reason         text           not null,
    author         text           not null,
    happened_at    timestamptz    not null,
    constraint entry_kind_is_known check (kind in ('opening', 'transfer', 'external', 'corporate action', 'correction', 'write-off')),
    constraint entry_leg_is_known check (leg in ('vault', 'wallet', 'broker', 'cash')),
    constraint a_transfer_has_its_id check ((kind = 'transfer') = (transfer is not null)),
    constraint an_opening_may_be_nothing check (kind = 'opening' or amount <> 0)
);
create index account_entry_by_account on account_entry (leg, account, instrument);
create index account_entry_by_break on account_entry (break_id) where break_id is not null;

-- One row per reconciliation of a business date: a later attempt stands in the place of an earlier one.
create table recon_run (
    id             bigint generated always as identity primary key,
    job_run_id     bigint      references job_run,   -- null: a person called
    business_date  date        not null,
    attempt        int         not null,
    started_at     timestamptz not null,
    finished_at    timestamptz not null,
    status         text        not null,
    passes         int         not null,             -- how often the ledger was judged: facts that were missing are taken up between
    input_digest   bytea,                            -- of the last pass
    output_digest  bytea,
    open_breaks    bigint      not null,
    unexplained    bigint      not null,             -- places with a residual that nothing explains
    code_version   text        not null,
    supersedes     bigint      references recon_run,
    said           text        not null,
    constraint a_date_is_reconciled_in_attempts unique (business_date, attempt),
    constraint recon_status_is_known check (status in ('COMPLETE', 'INCOMPLETE', 'FAILED')),
    constraint what_was_judged_has_its_digests check ((output_digest is null) = (status = 'FAILED')
                                                      and (input_digest is not null or status = 'FAILED')),
    constraint digests_are_32_bytes check (octet_length(input_digest) = 32 and octet_length(output_digest) = 32),
    constraint the_first_attempt_supersedes_nothing check ((attempt = 1) = (supersedes is null))
);

-- One row per time that a run judged: all that it looked at, so that it can be judged again offline.
create table recon_pass (
    run_id         bigint      not null references recon_run,
    pass           int         not null,
    inputs         text        not null,             -- canonical JSON; its digest is input_digest
    input_digest   bytea       not null,
    output_digest  bytea,                            -- null: the ledger contradicts itself
    primary key (run_id, pass),
    constraint pass_digests_are_32_bytes check (octet_length(input_digest) = 32 and octet_length(output_digest) = 32)
);

-- One row per source of a run: the moment that it speaks of, and whether it was read whole.
create table recon_cut (
    run_id         bigint      not null references recon_run,
    source         text        not null,
    as_of          timestamptz not null,
    block_number   bigint,
    block_hash     bytea,
    read_started   timestamptz not null,
    read_finished  timestamptz not null,
    completeness   text        not null,
    why            text,
    primary key (run_id, source),
    constraint completeness_is_known check (completeness in ('WHOLE', 'UNKNOWN')),
    constraint what_is_unknown_says_why check ((completeness = 'UNKNOWN') = (why is not null)),
    constraint a_block_has_its_hash check ((block_number is null) = (block_hash is null) and octet_length(block_hash) = 32)
);

-- One row per answer of a source: as it came, word for word.
create table recon_answer (
    run_id         bigint      not null references recon_run,
    place          int         not null,
    source         text        not null,
    request        text        not null,
    status         int,                              -- of HTTP; null: no answer came, and said says why
    said           text        not null,
    sha256         bytea       not null,
    primary key (run_id, place),
    constraint an_answer_is_as_it_came check (sha256 = sha256(convert_to(said, 'UTF8')))
);

-- One row per place and instrument of a run: what our books say, what the source says, and what is between.
create table recon_leg (
    run_id         bigint         not null references recon_run,
    leg            text           not null,
    account        text           not null,
    instrument     text           not null,
    expected       numeric(38,18) not null,
    reported       numeric(38,18) not null,
    residual       numeric(38,18) not null,
    explained      numeric(38,18) not null,
    unexplained    numeric(38,18) not null,
    price          numeric(38,18),
    candidates     text[]         not null,
    primary key (run_id, leg, account, instrument),
    constraint a_residual_is_what_is_explained_and_what_is_not check (residual = explained + unexplained),
    constraint a_residual_is_reported_less_expected check (residual = reported - expected)
);

-- One row per part of a residual that has evidence. An earlier pass has what was taken up since.
create table recon_explanation (
    run_id         bigint         not null references recon_run,
    pass           int            not null,
    place          int            not null,
    leg            text           not null,
    account        text           not null,
    instrument     text           not null,
    class          text           not null,
    amount         numeric(38,18) not null,
    refs           text[]         not null,
    deadline       timestamptz,
    detail         text           not null,
    tolerated      boolean        not null,
    primary key (run_id, pass, place),
    constraint an_explanation_has_evidence check (cardinality(refs) > 0),
    constraint explanation_class_is_known check (class in (
        'MISSING_ONCHAIN_FILL', 'REORGED_FILL', 'DUPLICATE_IN_LEDGER', 'IN_FLIGHT_ORDER', 'MISSING_BROKER_FILL',
        'QUANTITY', 'PRICE_OR_CASH', 'FEE_TIMING', 'TRANSFER_IN_FLIGHT', 'CORPORATE_ACTION', 'NAV_ACCRUAL',
        'EXTERNAL_ACTIVITY'))
);

-- One row per share of a run: what stands open, and why.
create table recon_exposure (
    run_id         bigint         not null references recon_run,
    symbol         text           not null,
    net            numeric(38,18) not null,
    pending        numeric(38,18) not null,
    remains        numeric(38,18) not null,
    value_usd      numeric(38,18),
    within         boolean        not null,
    why            text,
    why_since      timestamptz,
    oldest_at      timestamptz,
    primary key (run_id, symbol),
    constraint what_remains_is_net_and_pending check (remains = net + pending),
    constraint a_reason_has_its_start check ((why is null) = (why_since is null))
);

-- One row per wrapper and run: its ratio at the cut. The next run holds its own against it.
create table recon_ratio (
    run_id         bigint         not null references recon_run,
    source         text           not null,
    token          bytea          not null,
    symbol         text           not null,
    held           numeric(38,18) not null,
    ratio          numeric(38,18) not null,
    block_number   bigint         not null,
    primary key (run_id, source, token),
    constraint ratio_token_is_20_bytes check (octet_length(token) = 20)
);

-- One row per share of a run, and one for cash: how much of it is on chain and how much at brokers, against
-- what was wanted. Nothing is moved by it.
create table recon_inventory (
    run_id         bigint         not null references recon_run,
    instrument     text           not null,          -- a ticker; USD: cash
    onchain        numeric(38,18) not null,
    at_brokers     numeric(38,18) not null,
    ratio          numeric(38,18),                   -- of all that is on chain; null: there is nothing to share
    target         numeric(38,18) not null,
    deviation      numeric(38,18) not null,
    move_quantity  numeric(38,18) not null,          -- suggested: to the chain is positive; 0: within the deviation
    primary key (run_id, instrument),
    constraint a_target_is_a_part check (target between 0 and 1 and deviation between 0 and 1)
);

-- One row per break: what its events have left of it.
create table recon_break (
    id                 bigint generated always as identity primary key,
    key                bytea          not null,      -- hash of installation, leg, account, instrument, class, anchor
    leg                text           not null,
    account            text           not null,
    instrument         text           not null,
    class              text           not null,
    stuck              boolean        not null,      -- its deadline has passed
    state              text           not null,
    quantity           numeric(38,18) not null,
    cash               numeric(38,18),
    deadline           timestamptz,
    acknowledged_until timestamptz,
    first_seen         timestamptz    not null,
    changed_at         timestamptz    not null,
    refs               text[]         not null,
    detail             text           not null,
    constraint break_key_is_32_bytes check (octet_length(key) = 32),
    constraint break_state_is_known check (state in ('OPEN', 'EXPLAINED', 'ACKNOWLEDGED', 'RESOLVED', 'WRITTEN_OFF', 'REOPENED')),
    constraint what_is_acknowledged_says_until_when check (state <> 'ACKNOWLEDGED' or acknowledged_until is not null)
);
create unique index one_live_break_per_key on recon_break (key) where state not in ('RESOLVED', 'WRITTEN_OFF');
create index recon_break_by_key on recon_break (key, id);

-- One row per thing that happened to a break, in a run or by a person's hand.
create table recon_break_event (
    id                 bigint generated always as identity primary key,
    break_id           bigint         not null references recon_break,
    run_id             bigint         references recon_run,
    event              text           not null,
    state              text           not null,      -- what the break was after it
    quantity           numeric(38,18) not null,
    cash               numeric(38,18),
    until              timestamptz,                  -- a deadline, or the day until which somebody knows
    entry_id           bigint         references account_entry,
    reason             text,
    author             text,
    happened_at        timestamptz    not null,
    constraint break_event_is_known check (event in (
        'opened', 'explained', 'changed', 'stuck', 'acknowledged', 'lapsed', 'resolved', 'corrected', 'written off', 'reopened')),
    constraint an_act_has_reason_and_author check (
        (event in ('acknowledged', 'corrected', 'written off')) = (author is not null) and (author is null) = (reason is null)),
    constraint an_event_is_of_a_run_or_a_person check ((run_id is null) = (author is not null))
);
create index recon_break_event_by_break on recon_break_event (break_id, id);

alter table account_entry add constraint an_entry_mends_a_break foreign key (break_id) references recon_break;

do $$
declare
    fact text;
begin
    foreach fact in array array['account_entry', 'recon_run', 'recon_pass', 'recon_cut', 'recon_answer', 'recon_leg',
                                'recon_explanation', 'recon_exposure', 'recon_ratio', 'recon_inventory', 'recon_break_event'] loop
        execute format('create trigger facts_are_never_edited before update or delete or truncate on %I
                        for each statement execute function facts_are_never_edited()', fact);
    end loop;
end
$$;
create trigger facts_are_never_edited before delete or truncate or
    update of key, leg, account, instrument, class
    on recon_break for each statement execute function facts_are_never_edited();
