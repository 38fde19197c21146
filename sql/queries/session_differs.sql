-- One row per day ahead on which a broker's calendar is not the rules': $1 today, the rules' days in $2 to $4.
select s.date, s.open_at, s.close_at
from market_session s
left join unnest($2::date[], $3::timestamptz[], $4::timestamptz[]) as rules (day, open_at, close_at) on rules.day = s.date
where s.date >= $1 and s.source = 'broker' and (s.open_at, s.close_at) is distinct from (rules.open_at, rules.close_at)
order by s.date
