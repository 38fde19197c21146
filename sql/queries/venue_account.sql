-- No row: the account that was met there first.
update venue set account = $2 where id = $1 and account is null
