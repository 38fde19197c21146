-- One row where the lease was free and is ours now; its fence is a new one. It is free where its time
-- is over, or nobody holds the lock of its fence: the connection of whoever had it is gone.
insert into lease as l (fence, holder, taken_at, expires_at)
values (1, $1, clock_timestamp(), clock_timestamp() + $2::bigint * interval '1 millisecond')
on conflict (only_one) do update
set fence = l.fence + 1, holder = excluded.holder, taken_at = excluded.taken_at, expires_at = excluded.expires_at
where l.expires_at <= clock_timestamp() or pg_try_advisory_xact_lock(1751475303, l.fence::int)
returning fence, pg_try_advisory_lock(1751475303, fence::int) as locked
