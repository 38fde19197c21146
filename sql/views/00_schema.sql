-- The schema that people and their tools read, empty and new. It holds views
-- and functions only, so that dropping it loses nothing; the roles of sql/roles.sql, where
-- they exist, may read each view that the other files put here.
drop schema if exists reporting cascade;
create schema reporting;
comment on schema reporting is
    'What people and their tools read. Made anew by `hedge migrate`: put nothing of your own in here.';

do $$
declare
    reader text;
begin
    foreach reader in array array['hedge_app', 'hedge_job', 'hedge_bi'] loop
        if exists (select from pg_roles where rolname = reader) then
            execute format('grant usage on schema reporting to %I', reader);
            execute format('alter default privileges in schema reporting grant select on tables to %I', reader);
        end if;
    end loop;
end
$$;
