-- One row: which deployment this is.
select deployment from lease
