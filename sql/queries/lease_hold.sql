-- One row while the lease is ours: nobody takes it before this transaction ends.
select deployment from lease where fence = $1 and expires_at > clock_timestamp() for share
