-- One row where the lease was free and is ours now; its fence is a new one.
insert into lease as l (fence, holder, taken_at, expires_at)
values (1, $1, clock_timestamp(), clock_timestamp() + $2::bigint * interval '1 millisecond')
on conflict (only_one) do update
set fence = l.fence + 1, holder = excluded.holder, taken_at = excluded.taken_at, expires_at = excluded.expires_at
where l.expires_at <= clock_timestamp()
returning fence
