-- One row: the venue's number.
insert into venue (name, broker, environment) values ($1, $2, $3)
on conflict (name, broker, environment) do update set name = excluded.name
returning id
