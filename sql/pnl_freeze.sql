-- One picture of everything, however long it is looked at.
set transaction isolation level repeatable read, read only;
set local idle_in_transaction_session_timeout = 0;
set local work_mem = '256MB';
