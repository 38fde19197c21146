-- One row per thing that was said of a condition.
create view reporting.alert_event as
select
    e.id                                    as event_number,
    e.key                                   as alert_key,
    e.event,
    e.severity,
    e.class,
    round(e.usd, 2)::numeric(20,2)        as value_usd,
    e.usd                                   as value_usd_exact,
    e.quantity,
    e.said,
    e.author,
    e.until                                 as acknowledged_until,
    e.run_id,
    (e.happened_at at time zone 'America/New_York')::date as et_date,
    date_trunc('week', e.happened_at at time zone 'America/New_York')::date as et_week,
    date_trunc('month', e.happened_at at time zone 'America/New_York')::date as et_month,
    e.happened_at
from alert_event e;

comment on view reporting.alert_event is 'One row per thing that was said of a condition, by hedge or by a person. Append-only.';
comment on column reporting.alert_event.event_number is 'Number of the event, in the order of writing.';
comment on column reporting.alert_event.alert_key is 'Of which condition; see alert.';
comment on column reporting.alert_event.event is 'new, changed, escalated, still open, over, or acknowledged by a person.';
comment on column reporting.alert_event.severity is 'How much it mattered: info, warning or critical.';
comment on column reporting.alert_event.class is 'What kind of thing it was.';
comment on column reporting.alert_event.value_usd is 'What it was worth, signed US dollars, rounded to cents. NULL: not known.';
comment on column reporting.alert_event.value_usd_exact is 'The same, to the last digit.';
comment on column reporting.alert_event.quantity is 'Underlying shares or coins, signed. NULL: it was of none.';
comment on column reporting.alert_event.said is 'What was said.';
comment on column reporting.alert_event.author is 'Who said it: hedge, or a person.';
comment on column reporting.alert_event.acknowledged_until is 'Until when that person wants to hear no more, UTC. NULL: no acknowledgement.';
comment on column reporting.alert_event.run_id is 'The run that said it. NULL: none did.';
comment on column reporting.alert_event.et_date is 'The date in New York.';
comment on column reporting.alert_event.happened_at is 'When, UTC.';
comment on column reporting.alert_event.et_week is 'Monday of the week of et_date.';
comment on column reporting.alert_event.et_month is 'First day of the month of et_date.';
