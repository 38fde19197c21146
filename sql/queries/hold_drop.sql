-- No row: what is not held back any more.
delete from hold where symbol = any($1::text[])
