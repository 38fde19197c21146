-- One row per share and New York day: how much was open how long.
create view reporting.unhedged_time as
with stretch as (
    select symbol, position_after, price, happened_at as from_at,
        coalesce(lead(happened_at) over (partition by symbol order by place), now()) as to_at
    from reporting.exposure_changes(now() - interval '31 days')
),
part as (
    select s.symbol, s.position_after, s.price, day.et_date,
        extract(epoch from least(s.to_at, (day.et_date + 1)::timestamp at time zone 'America/New_York')
                         - greatest(s.from_at, day.et_date::timestamp at time zone 'America/New_York')) / 60 as minutes
    from stretch s
    cross join lateral (
        select d::date as et_date
        from generate_series((s.from_at at time zone 'America/New_York')::date::timestamp,
                             (s.to_at at time zone 'America/New_York')::date::timestamp, interval '1 day') d
    ) day
    where s.position_after <> 0 and s.to_at > s.from_at
)
select
    symbol,
    et_date,
    date_trunc('week', et_date)::date                       as et_week,
    date_trunc('month', et_date)::date                      as et_month,
    round(sum(minutes), 3)                                  as open_minutes,
    round(sum(abs(position_after) * minutes), 9)            as quantity_minutes,
    round(sum(abs(position_after) * price * minutes), 2)::numeric(20,2) as dollar_minutes,
    round(max(abs(position_after) * price), 2)::numeric(20,2) as largest_usd,
    count(*) filter (where price is null)                   as stretches_without_price
from part
where minutes > 0
group by symbol, et_date;

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
