-- One row: of the runs of one scope one at a time says what it saw.
select pg_advisory_xact_lock(hashtextextended('alert/' || $1, 0))::text as locked
