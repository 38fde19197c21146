-- One row per thing that happened to a break.
create view reporting.recon_break_event as
select
    e.id                                                    as event_id,
    e.break_id,
    b.class,
    b.instrument,
    e.run_id,
    e.event,
    e.state,
    e.quantity,
    e.cash                                                  as cash_usd_exact,
    e.until                                                 as until_at,
    e.entry_id,
    e.author,
    e.reason,
    e.happened_at,
    (e.happened_at at time zone 'America/New_York')::date as et_date,
    date_trunc('week', (e.happened_at at time zone 'America/New_York')::date::timestamp)::date as et_week,
    date_trunc('month', (e.happened_at at time zone 'America/New_York')::date::timestamp)::date as et_month
from recon_break_event e
join recon_break b on b.id = e.break_id;

comment on view reporting.recon_break_event is 'One row per thing that happened to a break, in a run or by a person. Never edited.';
comment on column reporting.recon_break_event.event_id is 'Number of the event; they are in order.';
comment on column reporting.recon_break_event.break_id is 'Number of the break.';
comment on column reporting.recon_break_event.class is 'Why the break is.';
comment on column reporting.recon_break_event.instrument is 'A ticker, USDC, or USD.';
comment on column reporting.recon_break_event.run_id is 'The run that saw it. NULL: a person acted.';
comment on column reporting.recon_break_event.event is
    'opened, explained, changed, stuck, acknowledged, lapsed, corrected, written off, resolved or reopened.';
comment on column reporting.recon_break_event.state is 'What the break was after it.';
comment on column reporting.recon_break_event.quantity is 'How much it was after it, in the unit of the leg.';
comment on column reporting.recon_break_event.cash_usd_exact is 'The dollars that went with it, exact and signed. NULL where none did.';
comment on column reporting.recon_break_event.until_at is 'The deadline, or the end of an acknowledgement, UTC. NULL: there is none.';
comment on column reporting.recon_break_event.entry_id is 'The entry in the account that a person gave. NULL: none.';
comment on column reporting.recon_break_event.author is 'Who acted. NULL: a run.';
comment on column reporting.recon_break_event.reason is 'Why they acted. NULL: a run.';
comment on column reporting.recon_break_event.happened_at is 'When, UTC.';
comment on column reporting.recon_break_event.et_date is 'Day in New York that it is about.';
comment on column reporting.recon_break_event.et_week is 'Monday of the week of et_date.';
comment on column reporting.recon_break_event.et_month is 'First day of the month of et_date.';
