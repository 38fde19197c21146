-- What the night works with: which job ran when, on which days the market is open, and what
-- happened to shares and cash besides trades. Facts are written once, as ever.

-- One row per job and due time: who gets the row in runs the job, so a timer and a scheduler may both call.
create table job_run (
    id             bigint generated always as identity primary key,
    job            text        not null,
    due_at         timestamptz not null,
    business_date  date        not null,     -- the day in the job's zone that it is about
    state          text        not null default 'running',
    attempt        int         not null default 1,
    holder         text        not null,     -- host and process
    started_at     timestamptz not null,
    finished_at    timestamptz,
    said           text,                     -- what came of it, in a sentence
    constraint a_job_runs_once_per_due_time unique (job, due_at),
    constraint job_state_is_known check (state in ('running', 'done', 'found', 'incomplete', 'inconsistent', 'skipped', 'failed')),
    constraint what_ended_says_when_and_what check ((state = 'running') = (finished_at is null)
                                                    and (finished_at is null) = (said is null)),
    constraint attempts_are_counted check (attempt > 0)
);
create index job_run_by_date on job_run (business_date, job);

-- One row per weekday that is known: when the exchange is open, or that it is closed.
create table market_session (
    date           date        primary key,
    open_at        timestamptz,              -- null: closed
    close_at       timestamptz,
    is_early       boolean     not null default false,
    source         text        not null,
    said_at        timestamptz not null,
    constraint session_source_is_known check (source in ('rules', 'broker', 'hand')),
    constraint a_session_opens_and_closes check ((open_at is null) = (close_at is null) and open_at < close_at),
    constraint a_closed_day_ends_early_never check (open_at is not null or not is_early)
);

-- One row per corporate action of a share that we know of.
create table corporate_action (
    id             bigint generated always as identity primary key,
    action_id      text        not null constraint an_action_is_known_once unique,  -- the source's own id
    kind           text        not null,
    symbol         text        not null,
    ex_date        date        not null,
    effective_at   timestamptz not null,     -- before the first trade of ex_date
    record_date    date,
    payable_date   date,
    ratio_new      numeric(38,18),           -- a split: so many new shares
    ratio_old      numeric(38,18),           -- for so many old ones
    to_symbol      text,                     -- a rename
    cash_per_share numeric(38,18),           -- a cash dividend
    source         text        not null,     -- the venue's name, or hand
    author         text,
    reason         text,
    said           text        not null,     -- the source's words: evidence
    known_at       timestamptz not null default now(),
    withdrawn_at   timestamptz,              -- it was called off; the only columns that may change
    withdrawn_why  text,
    constraint action_kind_is_known check (case kind
        when 'split'    then ratio_new > 0 and ratio_old > 0 and to_symbol is null and cash_per_share is null
        when 'rename'   then to_symbol is not null and ratio_new is null and ratio_old is null and cash_per_share is null
        when 'dividend' then cash_per_share > 0 and ratio_new is null and ratio_old is null and to_symbol is null
        else false
    end),
    constraint a_hand_gives_a_reason check (source <> 'hand' or (author is not null and reason is not null)),
    constraint withdrawn_has_its_reason check ((withdrawn_at is null) = (withdrawn_why is null))
);

-- What happens to a share once does not happen twice, whoever tells of it.
create unique index an_action_stands_once on corporate_action (kind, symbol, ex_date, coalesce(cash_per_share, 0))
    where withdrawn_at is null;
-- A split or a new ticker changes what is exposed: by corrections, which say whose they are.
alter table correction add column action_id text references corporate_action (action_id);
create index correction_by_action on correction (action_id) where action_id is not null;

-- One row per activity at a broker that is no trade, as it was first told.
create table activity (
    venue_id       int            not null references venue,
    activity_id    text           not null,
    kind           text           not null,
    word           text           not null,          -- the broker's own
    symbol         text,
    quantity       numeric(38,18) not null,          -- signed: what came is positive
    cash           numeric(38,18) not null,          -- dollars, signed likewise
    day            date           not null,          -- that it counts for
    happened_at    timestamptz,
    said           text           not null,          -- the broker's words: evidence
    seen_at        timestamptz    not null default now(),
    primary key (venue_id, activity_id, word),       -- one that is taken back keeps its id
    constraint activity_kind_is_known check (kind in (
        'commission', 'regulatory', 'interest', 'dividend', 'cash', 'shares', 'split', 'rename', 'other'))
);
create index activity_by_day on activity (day);

-- One row per venue: its activities are known up to here.
create table activity_scan (
    venue_id       int            primary key references venue,
    scanned_to     timestamptz    not null
);

-- One row per movement of cash that is no trade: a fee, gas, interest, a dividend.
create table cash_flow (
    id             bigint generated always as identity primary key,
    flow_id        text           not null constraint a_cash_flow_is_booked_once unique,  -- venue/activity, chain/tx
    kind           text           not null,
    venue_id       int            references venue,  -- null: not at a broker
    symbol         text,                             -- null: of no one share
    amount         numeric(38,18) not null,          -- dollars, signed: what was paid is negative
    occurred_at    timestamptz    not null,
    execution_id   text,                             -- the trade it is for, at its venue
    tx_hash        bytea,                            -- the transaction it is for
    valuation      text,                             -- how it was made dollars; null: it was dollars
    said           text           not null,          -- the source's words: evidence
    booked_at      timestamptz    not null default now(),
    constraint cash_flow_kind_is_known check (kind in (
        'commission', 'regulatory', 'gas', 'tokenization', 'bridge', 'interest', 'other cost',
        'dividend', 'nav accrual', 'rebate', 'interest earned', 'deposit', 'withdrawal')),
    constraint a_cash_flow_moves_something check (amount <> 0)
);
create index cash_flow_by_time on cash_flow (occurred_at);

-- One row per price that open quantity may be valued at: the newest of a day wins.
create table mark (
    id             bigint generated always as identity primary key,
    symbol         text           not null,
    price          numeric(38,18) not null,          -- dollars per share
    as_of          timestamptz    not null,          -- when it was true
    source         text           not null,
    said_at        timestamptz    not null default now(),
    constraint a_mark_is_kept_once unique (symbol, source, as_of, price),
    constraint mark_source_is_known check (source in ('close', 'quote', 'execution', 'fill', 'hand')),
    constraint a_mark_is_above_zero check (price > 0)
);
create index mark_by_symbol on mark (symbol, as_of);

-- One row per fill whose oracle was looked at: what its price feed said while it was filled.
create table oracle_price (
    chain_id       bigint         not null,
    block_hash     bytea          not null,
    log_index      int            not null,
    feed           bytea          not null,
    method         text           not null,
    price          numeric(38,18),                   -- dollars per share; null: there is none, and why
    confidence     numeric(38,18),
    published_at   timestamptz,
    missing        text,
    read_at        timestamptz    not null default now(),
    primary key (chain_id, block_hash, log_index, feed),
    constraint a_price_is_of_a_log foreign key (chain_id, block_hash, log_index) references chain_log,
    constraint oracle_method_is_known check (method in ('trace', 'end of block')),
    constraint a_missing_price_has_its_reason check ((price is null) = (missing is not null)),
    constraint feed_is_32_bytes check (octet_length(feed) = 32),
    constraint an_oracle_price_is_above_zero check (price > 0)
);

-- One row per vault of ours that is known, and how it became so.
create table vault (
    source_id      int            not null references source,
    owner          bytea          not null,
    token          bytea          not null,
    vault_id       bytea          not null,
    found_by       text           not null,
    block_number   bigint,                           -- where it was first met; null: it was configured
    seen_at        timestamptz    not null default now(),
    primary key (source_id, owner, token, vault_id),
    constraint vault_is_found_by check ((found_by = 'configuration') = (block_number is null)
                                        and found_by in ('configuration', 'order', 'deposit', 'fill')),
    constraint vault_addresses check (octet_length(owner) = 20 and octet_length(token) = 20 and octet_length(vault_id) = 32)
);

-- One row per source: up to where its contract was asked for orders that name vaults.
create table vault_scan (
    source_id      int            primary key references source,
    scanned_to     bigint         not null,
    scanned_at     timestamptz    not null default now()
);

do $$
declare
    fact text;
begin
    foreach fact in array array['cash_flow', 'mark', 'oracle_price', 'activity'] loop
        execute format('create trigger facts_are_never_edited before update or delete or truncate on %I
                        for each statement execute function facts_are_never_edited()', fact);
    end loop;
end
$$;
create trigger facts_are_never_edited before delete or truncate or
    update of action_id, kind, symbol, ex_date, effective_at, record_date, payable_date, ratio_new, ratio_old,
              to_symbol, cash_per_share, source, author, reason, said, known_at
    on corporate_action for each statement execute function facts_are_never_edited();

-- One row per check of `sql/checks` and run: how many rows it found, and the first of them.
create table check_result (
    id             bigint generated always as identity primary key,
    run_id         bigint      references job_run,   -- null: a person called
    name           text        not null,
    failures       bigint      not null,
    allowed        bigint      not null,             -- so many are let pass
    sample         jsonb       not null,             -- the first rows
    checked_at     timestamptz not null,
    constraint failures_are_counted check (failures >= 0 and allowed >= 0)
);
create index check_result_by_time on check_result (checked_at);
