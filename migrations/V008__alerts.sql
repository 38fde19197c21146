-- What people are told, and how far it got: see its tables.

-- One row per condition that a run ever saw: how it stands, and what was said of it last.
-- Derived from what runs saw; `alert_event` has its history.
create table alert (
    key                text        primary key,
    scope              text        not null,     -- the job that sees it
    class              text        not null,
    leg                text        not null,
    severity           text        not null,
    symbol             text,                     -- null: of no one share
    about              text        not null,
    detail             text        not null,
    next               text        not null,     -- what to do
    usd                numeric(38,18),           -- what it is worth, signed
    quantity           numeric(38,18),           -- shares or coins, signed
    since              timestamptz not null,
    confirmed          boolean     not null,
    phase              text        not null,
    pending_since      timestamptz,
    fired_at           timestamptz,
    told_at            timestamptz,              -- what was said last
    told_class         text,
    told_severity      text,
    told_usd           numeric(38,18),
    told_quantity      numeric(38,18),
    escalated_at       timestamptz,
    calm               int         not null default 0,
    notices            int         not null default 0,
    thread_root        text,                     -- message id of the first mail since it fired
    judged_at          timestamptz not null,
    acknowledged_until timestamptz,
    acknowledged_by    text,
    acknowledged_why   text,
    constraint alert_phase_is_known check (phase in ('quiet', 'pending', 'firing')),
    constraint alert_severity_is_known check (severity in ('info', 'warning', 'critical')),
    constraint what_fires_was_told check ((phase = 'firing') = (fired_at is not null)
                                          and (fired_at is null) = (told_at is null)
                                          and (told_at is null) = (told_class is null)
                                          and (told_at is null) = (told_severity is null)),
    constraint who_acknowledges_says_why check ((acknowledged_until is null) = (acknowledged_by is null)
                                                and (acknowledged_by is null) = (acknowledged_why is null))
);
create index alert_by_scope on alert (scope, phase);

-- One row per thing that was said of a condition, or that a person said of it.
create table alert_event (
    id             bigint generated always as identity primary key,
    key            text        not null,
    event          text        not null,
    run_id         bigint      references job_run,  -- null: outside a run
    class          text        not null,
    severity       text        not null,
    usd            numeric(38,18),
    quantity       numeric(38,18),
    said           text        not null,
    author         text        not null,            -- hedge, or who acknowledged
    until          timestamptz,                     -- of an acknowledgement
    happened_at    timestamptz not null,
    constraint alert_event_is_known check (event in ('new', 'changed', 'escalated', 'still open', 'over', 'acknowledged')),
    constraint an_acknowledgement_ends check ((event = 'acknowledged') = (until is not null))
);
create index alert_event_by_key on alert_event (key, id);

-- One row per message, rendered as it leaves: written with its cause, and never edited.
create table letter (
    id             bigint generated always as identity primary key,
    dedup_key      text        not null constraint a_letter_is_written_once unique,
    message_id     text        not null constraint a_message_id_is_given_once unique,
    thread_root    text,                            -- the message that it answers; null: it begins a thread
    alert_key      text,                            -- null: of a whole run
    scope          text        not null,
    run_id         bigint      references job_run,
    severity       text        not null,
    recipients     text[]      not null,            -- mail addresses, as the header has them
    subject        text        not null,
    text           text        not null,
    html           text        not null,
    picture_ids    text[]      not null default '{}',
    picture_alts   text[]      not null default '{}',
    pictures       bytea[]     not null default '{}',
    written_at     timestamptz not null,
    constraint a_subject_is_one_line check (subject !~ '[\r\n]'),
    constraint letter_severity_is_known check (severity in ('info', 'warning', 'critical')),
    constraint a_picture_has_a_name_and_words check (cardinality(picture_ids) = cardinality(pictures)
                                                     and cardinality(picture_alts) = cardinality(pictures))
);

-- One row per message and recipient: how far it got. One that cannot be reached holds up nobody else.
create table outbox (
    id             bigint generated always as identity primary key,
    letter_id      bigint      not null references letter,
    channel        text        not null,
    recipient      text        not null,            -- a mail address; of a webhook its name, never its url
    state          text        not null default 'waiting',
    attempts       int         not null default 0,
    deferred       int         not null default 0,  -- so often the server put it off
    unknown        int         not null default 0,  -- so often nobody knew whether it was taken
    next_at        timestamptz not null,
    claimed_at     timestamptz,
    ended_at       timestamptz,
    last_error     text,
    constraint a_recipient_is_told_once unique (letter_id, channel, recipient),
    constraint channel_is_known check (channel in ('mail', 'webhook')),
    constraint outbox_state_is_known check (state in ('waiting', 'sending', 'sent', 'failed', 'poisoned')),
    constraint what_is_being_sent_was_claimed check ((state = 'sending') = (claimed_at is not null)),
    constraint what_ended_says_when check ((state in ('sent', 'failed', 'poisoned')) = (ended_at is not null)),
    constraint what_was_given_up_says_why check (state not in ('failed', 'poisoned') or last_error is not null)
);
create index outbox_to_send on outbox (next_at) where state in ('waiting', 'sending');

do $$
declare
    fact text;
begin
    foreach fact in array array['alert_event', 'letter'] loop
        execute format('create trigger facts_are_never_edited before update or delete or truncate on %I
                        for each statement execute function facts_are_never_edited()', fact);
    end loop;
end
$$;
