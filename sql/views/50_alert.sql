-- One row per condition that a run ever saw.
create view reporting.alert as
select
    a.key                                   as alert_key,
    a.scope                                 as job,
    a.phase,
    a.phase = 'firing'                      as is_open,
    a.severity,
    a.class,
    a.leg,
    a.symbol,
    a.about,
    a.detail,
    a.next                                  as what_to_do,
    round(a.usd, 2)::numeric(20,2)        as value_usd,
    a.usd                                   as value_usd_exact,
    a.quantity,
    a.since                                 as since_at,
    (a.since at time zone 'America/New_York')::date as et_date,
    date_trunc('week', a.since at time zone 'America/New_York')::date as et_week,
    date_trunc('month', a.since at time zone 'America/New_York')::date as et_month,
    a.fired_at,
    a.told_at,
    a.escalated_at,
    a.notices,
    a.acknowledged_until,
    a.acknowledged_by,
    a.acknowledged_why,
    a.judged_at
from alert a;

comment on view reporting.alert is 'One row per condition that a run ever saw: what people are told of, how it stands, and what was said of it last.';
comment on column reporting.alert.alert_key is 'What it is named by, such as break/17: the same as long as it is the same thing.';
comment on column reporting.alert.job is 'The job that sees it.';
comment on column reporting.alert.phase is 'quiet: too little, or over. pending: seen once, a second look decides. firing: told, and not over.';
comment on column reporting.alert.is_open is 'True while it is told of and not over.';
comment on column reporting.alert.severity is 'info, warning or critical.';
comment on column reporting.alert.class is 'What kind of thing it is.';
comment on column reporting.alert.leg is 'Where it is seen. What lies in a leg that could not be judged stays as it was.';
comment on column reporting.alert.symbol is 'Ticker of the share. NULL: of no one share.';
comment on column reporting.alert.about is 'What and how much, in half a line.';
comment on column reporting.alert.detail is 'Why, in a sentence or two.';
comment on column reporting.alert.what_to_do is 'What to do: a command where there is one.';
comment on column reporting.alert.value_usd is 'What it is worth, signed US dollars, rounded to cents. NULL: not known.';
comment on column reporting.alert.value_usd_exact is 'The same, to the last digit.';
comment on column reporting.alert.quantity is 'Underlying shares or coins, signed. NULL: it is of none.';
comment on column reporting.alert.since_at is 'Since when it is so, UTC.';
comment on column reporting.alert.et_date is 'The date in New York since when it is so.';
comment on column reporting.alert.fired_at is 'Since when people are told of it, UTC. NULL: nobody is.';
comment on column reporting.alert.told_at is 'When something was said of it last, UTC. NULL: nothing was since it was last over.';
comment on column reporting.alert.escalated_at is 'When a second recipient was told, UTC. NULL: none was.';
comment on column reporting.alert.notices is 'How often something was said of it, ever.';
comment on column reporting.alert.acknowledged_until is 'Until when a person who knows hears no more of it, UTC. NULL: nobody said so.';
comment on column reporting.alert.acknowledged_by is 'Who knows.';
comment on column reporting.alert.acknowledged_why is 'What that person said.';
comment on column reporting.alert.judged_at is 'When a run last looked at it, UTC.';
comment on column reporting.alert.et_week is 'Monday of the week of et_date.';
comment on column reporting.alert.et_month is 'First day of the month of et_date.';
