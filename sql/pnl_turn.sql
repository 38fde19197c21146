-- One at a time counts; it may take as long as it takes, and sorts in memory. The number is `pnl` in ASCII.
set local idle_in_transaction_session_timeout = 0;
set local work_mem = '256MB';
select pg_advisory_xact_lock(7368300);
