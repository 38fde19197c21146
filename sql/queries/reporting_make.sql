-- No row: `reporting` was made of these files.
insert into reporting_made (digest) values (md5($1::text))
on conflict (only_one) do update set digest = excluded.digest, made_at = now()
