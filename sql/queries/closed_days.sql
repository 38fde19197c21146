-- One row per weekday of the last two years that the exchange is known to be closed.
select to_char(date, 'YYYY-MM-DD') as date from market_session where open_at is null and date >= $1::timestamptz - interval '2 years'
