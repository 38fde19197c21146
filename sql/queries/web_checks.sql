-- One row per check of the books, as it was found last.
select distinct on (name) name, failures, allowed, checked_at from check_result order by name, checked_at desc
