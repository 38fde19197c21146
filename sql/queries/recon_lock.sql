-- One row: nobody else reconciles until this transaction ends.
select pg_advisory_xact_lock(hashtext('hedge reconcile'))
