-- One row per share and New York day: how much was open how long. First of the days from any instant on.
create function reporting.unhedged_since(since timestamptz, of_symbol text default null)
returns table (symbol text, et_date date, open_minutes numeric, quantity_minutes numeric, dollar_minutes numeric, largest_usd numeric,
               stretches_without_price bigint)
language sql stable rows 10000 security definer set search_path from current set jit = off set work_mem = '64MB'
as $$
with change as (
    select symbol, abs(position_after) as quantity, price, happened_at as from_at,
        coalesce(lead(happened_at) over (partition by symbol order by place), now()) as to_at
    from reporting.exposure_changes(since, of_symbol)
),
stretch as materialized (
    select *, (from_at at time zone 'America/New_York')::date as first_day, (to_at at time zone 'America/New_York')::date as last_day
    from change
    where quantity <> 0 and to_at > from_at
),
part as (
    select symbol, quantity, price, first_day as et_date, extract(epoch from to_at - from_at) as seconds
    from stretch
    where first_day = last_day
    union all
    -- What was open over a midnight is parted there.
    select s.symbol, s.quantity, s.price, d.day::date,
        extract(epoch from least(s.to_at, (d.day::date + 1)::timestamp at time zone 'America/New_York')
                         - greatest(s.from_at, d.day at time zone 'America/New_York'))
    from stretch s
    cross join lateral generate_series(s.first_day::timestamp, s.last_day::timestamp, interval '1 day') d (day)
    where s.first_day < s.last_day
)
select symbol, et_date, round(sum(seconds) / 60, 3), round(sum(quantity * seconds) / 60, 9),
    round(sum(quantity * price * seconds) / 60, 2), round(max(quantity * price), 2), count(*) filter (where price is null)
from part
where seconds > 0
group by symbol, et_date
$$;
comment on function reporting.unhedged_since is
    'How much was open how long, of each share and New York day from an instant on; columns as in unhedged_time. The fewer days, the sooner it answers.';

create view reporting.unhedged_time as
select
    u.symbol,
    u.et_date,
    date_trunc('week', u.et_date::timestamp)::date          as et_week,
    date_trunc('month', u.et_date::timestamp)::date         as et_month,
    u.open_minutes,
    u.quantity_minutes,
    u.dollar_minutes::numeric(20,2)                         as dollar_minutes,
    u.largest_usd::numeric(20,2)                            as largest_usd,
    u.stretches_without_price
from reporting.unhedged_since(now() - interval '31 days') u;

comment on view reporting.unhedged_time is
    'One row per share and New York day of the last 31 in which something was open: how much, how long. Fills count from their block until a broker traded the other way.';
comment on column reporting.unhedged_time.symbol is 'Ticker of the share.';
comment on column reporting.unhedged_time.et_date is 'Day in New York. The first and the last of them are not whole.';
comment on column reporting.unhedged_time.et_week is 'Monday of the week of et_date.';
comment on column reporting.unhedged_time.et_month is 'First day of the month of et_date.';
comment on column reporting.unhedged_time.open_minutes is 'Minutes of that day in which the position was not zero.';
comment on column reporting.unhedged_time.quantity_minutes is 'Underlying times minutes, without sign.';
comment on column reporting.unhedged_time.dollar_minutes is 'Dollars times minutes, without sign: what was open at the price of the last trade. NULL where no price is known.';
comment on column reporting.unhedged_time.largest_usd is 'Most dollars open at once on that day, without sign. NULL where no price is known.';
comment on column reporting.unhedged_time.stretches_without_price is 'Stretches that dollar_minutes lacks because no price was known.';
