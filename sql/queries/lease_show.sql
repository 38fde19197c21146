-- One row, or none: who holds the lease, or held it last.
select fence, holder, taken_at, expires_at, expires_at > clock_timestamp() as held from lease
