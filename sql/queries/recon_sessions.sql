-- One row per weekday near a date of which it is known whether the exchange is open.
select date, open_at is not null as is_open from market_session
where date between $1::date - 30 and $1::date + 30 order by date
