-- One row per share: the price that its position is valued at on a date. Stale: two sessions or more
-- have been since, by the calendar, and by weekdays where that says nothing.
select distinct on (m.symbol) m.symbol, m.price, m.as_of, m.source,
    (select count(*) > 1
     from generate_series(d.et_date + 1, $1::text::date, interval '1 day') day
     left join market_session s on s.date = day::date
     where extract(isodow from day) < 6 and (s.date is null or s.open_at is not null)) as is_stale
from mark m
cross join lateral (select (m.as_of at time zone 'America/New_York')::date as et_date) d
where d.et_date <= $1::text::date
order by m.symbol, d.et_date desc, (m.source = 'close') desc, m.as_of desc, m.id desc
