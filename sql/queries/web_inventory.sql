-- One row per share or cash, what lies off its target first: where it lies, as the last run saw it.
select * from reporting.inventory order by is_off_target desc, instrument limit 50
