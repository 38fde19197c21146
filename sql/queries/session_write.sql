-- One row per day that was written: it was not known, or was otherwise. What a broker says is before the rules, what a
-- person says before both.
insert into market_session as s (date, open_at, close_at, is_early, source, said_at)
select day, open_at, close_at, is_early, $5, $6
from unnest($1::date[], $2::timestamptz[], $3::timestamptz[], $4::boolean[]) as t (day, open_at, close_at, is_early)
on conflict (date) do update
set open_at = excluded.open_at, close_at = excluded.close_at, is_early = excluded.is_early, source = excluded.source,
    said_at = excluded.said_at
where (s.open_at, s.close_at, s.source) is distinct from (excluded.open_at, excluded.close_at, excluded.source)
  and array_position(array['rules', 'broker', 'hand'], s.source) <= array_position(array['rules', 'broker', 'hand'], excluded.source)
returning date
