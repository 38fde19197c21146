-- The schema that people and their tools read, empty and new. It holds views
-- only, so that dropping it loses nothing; `hedge_bi`, where that role exists,
-- may read each view that the other files put here.
drop schema if exists reporting cascade;
create schema reporting;
comment on schema reporting is
    'What people and their tools read. Made anew by every `hedge migrate`: put nothing of your own in here.';

do $$
begin
    if exists (select from pg_roles where rolname = 'hedge_bi') then
        grant usage on schema reporting to hedge_bi;
        alter default privileges in schema reporting grant select on tables to hedge_bi;
    end if;
end
$$;
