-- One row per activity at a broker that is no trade.
create view reporting.activity as
select
    v.name                                                  as venue,
    x.activity_id,
    x.kind,
    x.word,
    x.symbol,
    x.quantity,
    round(x.cash, 2)::numeric(20,2)                         as cash_usd,
    x.cash                                                  as cash_usd_exact,
    x.day,
    x.happened_at,
    x.seen_at,
    ((coalesce(x.happened_at, x.day::timestamp at time zone 'America/New_York')) at time zone 'America/New_York')::date as et_date,
    date_trunc('week', (coalesce(x.happened_at, x.day::timestamp at time zone 'America/New_York')) at time zone 'America/New_York')::date as et_week,
    date_trunc('month', (coalesce(x.happened_at, x.day::timestamp at time zone 'America/New_York')) at time zone 'America/New_York')::date as et_month
from activity x
join venue v on v.id = x.venue_id;

comment on view reporting.activity is
    'One row per activity at a broker that is no trade, as it was first told. One that was taken back has a second row under the same id.';
comment on column reporting.activity.venue is 'Name of the venue.';
comment on column reporting.activity.activity_id is 'Id of the activity at the venue.';
comment on column reporting.activity.kind is 'commission, regulatory, interest, dividend, cash, shares, split, rename or other: never guessed.';
comment on column reporting.activity.word is 'What the broker calls it.';
comment on column reporting.activity.symbol is 'Ticker. NULL: of no one ticker.';
comment on column reporting.activity.quantity is 'What it does to the position; what came is positive.';
comment on column reporting.activity.cash_usd is 'What it does to cash, in dollars; what came is positive.';
comment on column reporting.activity.day is 'Day that it counts for, in New York.';
comment on column reporting.activity.happened_at is 'When it was posted, UTC. NULL when the broker does not say.';
comment on column reporting.activity.seen_at is 'When it was taken up here, UTC.';
comment on column reporting.activity.et_date is 'Date in New York of the time that it is about.';
comment on column reporting.activity.et_week is 'Monday of the week of et_date.';
comment on column reporting.activity.et_month is 'First day of the month of et_date.';
comment on column reporting.activity.cash_usd_exact is 'The same as cash_usd, to the last digit.';
