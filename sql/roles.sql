-- No row: who may do what in a database of hedge, on a server of yours. `hedge migrate --roles` applies it, and so
-- does psql; whoever does must be allowed to create roles. Applied again, it changes nothing; apply it again
-- after a new version, and after adding a login to one of these groups:
--
--     hedge_owner   owns everything; `hedge migrate` runs as a member of it
--     hedge_app     `hedge run` and whatever an operator does: adds facts, never edits or deletes one
--     hedge_job     the night's jobs: as hedge_app, but it can neither plan an order nor become who sends them
--     hedge_bi      Metabase and its like: reads `reporting`, and nothing else
--
-- None of them logs in. People and programs do, as members:
--
--     create role metabase login password '…' in role hedge_bi;
--     create role desk login password '…' in role hedge_app;
--     create role keeper login password '…' in role hedge_owner; alter role keeper set role = hedge_owner;
do $$
declare
    name text;
begin
    foreach name in array array['hedge_owner', 'hedge_app', 'hedge_job', 'hedge_bi'] loop
        if not exists (select from pg_roles where rolname = name) then
            begin
                execute format('create role %I nologin', name);
            exception when duplicate_object or unique_violation then
                null; -- Somebody else just did.
            end;
        end if;
    end loop;
end
$$;

-- The owner owns.
do $$
declare
    thing record;
begin
    execute format('grant create, temporary on database %I to hedge_owner', current_database());
    grant usage, create on schema public to hedge_owner;
    alter schema reporting owner to hedge_owner;
    for thing in
        select format('alter %s %I.%I owner to hedge_owner',
            case c.relkind when 'v' then 'view' else 'table' end, n.nspname, c.relname) as act
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('public', 'reporting') and c.relkind in ('r', 'p', 'v')
            and c.relowner <> 'hedge_owner'::regrole
        union all
        select format('alter function %s owner to hedge_owner', p.oid::regprocedure)
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname in ('public', 'reporting') and p.proowner <> 'hedge_owner'::regrole
            and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
    loop
        execute thing.act;
    end loop;
end
$$;

-- Who works in the tables: a fact may be added, and of it only what its trigger lets pass may change.
do $$
declare
    fact record;
begin
    execute format('revoke temporary on database %I from public', current_database());
    execute format('grant temporary on database %I to hedge_app, hedge_job', current_database());
    revoke create on schema public from public;
    grant usage on schema public to hedge_app, hedge_job;
    grant select, insert, update, delete on all tables in schema public to hedge_app, hedge_job;
    grant usage on all sequences in schema public to hedge_app, hedge_job;
    revoke insert, update, delete on refinery_schema_history, reporting_made from hedge_app, hedge_job;
    for fact in
        select t.tgrelid::regclass as name,
            (select string_agg(quote_ident(a.attname), ', ') from pg_attribute a
             where a.attrelid = t.tgrelid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
                and cardinality(t.tgattr::int2[]) > 0 and a.attnum <> all (t.tgattr::int2[])) as may_change
        from pg_trigger t
        where t.tgname = 'facts_are_never_edited'
    loop
        execute format('revoke update, delete on %s from hedge_app, hedge_job', fact.name);
        if fact.may_change is not null then
            execute format('grant update (%s) on %s to hedge_app, hedge_job', fact.may_change, fact.name);
        end if;
    end loop;
    -- Who books is not who trades.
    revoke insert, delete on hedge_order, cover from hedge_job;
    revoke insert, update, delete on lease, go_live from hedge_job;
end
$$;

-- Who reads. Settings of a group are not those of its members, so each login has its own.
do $$
declare
    login text;
begin
    grant usage on schema reporting to hedge_app, hedge_job, hedge_bi;
    grant select on all tables in schema reporting to hedge_app, hedge_job, hedge_bi;
    grant execute on all functions in schema reporting to hedge_app, hedge_job, hedge_bi;
    revoke all on schema public from hedge_bi;
    revoke all on all tables in schema public from hedge_bi;
    for login in
        select r.rolname from pg_auth_members m join pg_roles r on r.oid = m.member
        where m.roleid = 'hedge_bi'::regrole and r.rolcanlogin and not r.rolsuper
    loop
        execute format('alter role %I set default_transaction_read_only = on', login);
        execute format('alter role %I set statement_timeout = ''30s''', login);
        execute format('alter role %I set idle_in_transaction_session_timeout = ''60s''', login);
        execute format('alter role %I set search_path = reporting', login);
        execute format('alter role %I set timezone = ''UTC''', login);
        -- Charts ask short questions: compiling them takes longer than answering.
        execute format('alter role %I set jit = off', login);
        execute format('alter role %I set work_mem = ''64MB''', login);
    end loop;
end
$$;
