-- One row per date from $1 to $2 that is known: whether the exchange is open.
select date, open_at is not null as is_open from market_session where date between $1 and $2
