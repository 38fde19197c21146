-- What reporting looks back with: when each thing became known here, and short ways to a day.

-- When a log was written here; null: before that was noted.
alter table chain_log add column written_at timestamptz;
alter table chain_log alter column written_at set default now();
drop trigger facts_are_never_edited on chain_log;
create trigger facts_are_never_edited before delete or truncate or
    update of chain_id, block_hash, log_index, source_id, block_number, block_time, tx_hash, tx_index, topics, data, written_at
    on chain_log for each statement execute function facts_are_never_edited();

-- One row per time that a log was taken, or that the chain took it up again: `taken_by` says only how it is now.
create table log_turn (
    id             bigint      generated always as identity primary key,
    chain_id       bigint      not null,
    block_hash     bytea       not null,
    log_index      int         not null,
    taken_by       bigint      references reorg,  -- null: canonical again
    happened_at    timestamptz not null default now(),
    constraint a_turn_is_of_a_log foreign key (chain_id, block_hash, log_index) references chain_log
);
create index log_turn_by_log on log_turn (chain_id, block_hash, log_index);
insert into log_turn (chain_id, block_hash, log_index, taken_by, happened_at)
select l.chain_id, l.block_hash, l.log_index, r.id, r.happened_at
from chain_log l join reorg r on r.id = l.taken_by
order by r.id, l.block_number, l.log_index;
create function a_log_turns() returns trigger language plpgsql as $$
begin
    insert into log_turn (chain_id, block_hash, log_index, taken_by)
    select chain_id, block_hash, log_index, taken_by from changed;
    return null;
end
$$;
create trigger a_log_turns after update on chain_log
    referencing new table as changed for each statement execute function a_log_turns();

-- One row per time that fills of a source were released to the hedger, or that it was taken back a step. What
-- moves over blocks without a log of ours is not noted.
create table release_step (
    id             bigint      generated always as identity primary key,
    source_id      int         not null references source,
    to_block       bigint      not null,
    released_at    timestamptz not null default now()
);
create index release_step_by_source on release_step (source_id, id);
create index release_step_by_block on release_step (source_id, to_block, id);
insert into release_step (source_id, to_block, released_at) select source_id, to_block, '-infinity' from release;
create function a_release_is_noted() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' or exists (
        select from chain_log
        where source_id = new.source_id and block_number > least(old.to_block, new.to_block)
            and block_number <= greatest(old.to_block, new.to_block))
    then
        insert into release_step (source_id, to_block) values (new.source_id, new.to_block);
    end if;
    return null;
end
$$;
create trigger a_release_is_noted after insert or update of to_block on release
    for each row execute function a_release_is_noted();

-- As in V002; and a fill that comes late, below what is released, is released with this.
create or replace function open_closed_fills() returns trigger language plpgsql as $$
declare
    place record;
begin
    if not exists (select from release) then
        return null;
    end if;
    if tg_table_name = 'fill' then
        select l.source_id, min(l.block_number) as block_number into place
        from changed join chain_log l using (chain_id, block_hash, log_index) group by l.source_id;
    else
        select source_id, min(block_number) as block_number into place from changed group by source_id;
    end if;
    perform from release where source_id = place.source_id for share;
    if tg_table_name = 'fill' then
        insert into release_step (source_id, to_block)
        select source_id, to_block from release where source_id = place.source_id and to_block >= place.block_number;
    end if;
    update release set closed_to = from_block - 1
    where source_id = place.source_id and closed_to >= place.block_number;
    return null;
end
$$;

do $$
declare
    fact text;
begin
    foreach fact in array array['log_turn', 'release_step'] loop
        execute format('create trigger facts_are_never_edited before update or delete or truncate on %I
                        for each statement execute function facts_are_never_edited()', fact);
    end loop;
end
$$;

-- Ways to a day of New York. Logs and executions are written nearly in the order of their time, so a range of
-- pages is enough to know, and costs nothing to keep.
create index chain_log_by_time on chain_log using brin (block_time);
create index chain_log_by_day on chain_log using brin (((block_time at time zone 'America/New_York')::date));
create index hedge_order_by_et_date on hedge_order (((planned_at at time zone 'America/New_York')::date));
create index execution_by_et_date on execution (((executed_at at time zone 'America/New_York')::date));
create index execution_by_time on execution (executed_at);

-- One row: of which files `reporting` was made last. Where they are the same, it is left alone: who reads is not disturbed.
create table reporting_made (
    only_one       boolean     primary key default true,
    digest         text        not null,
    made_at        timestamptz not null default now(),
    constraint reporting_is_made_once check (only_one)
);

create index cash_flow_by_et_date on cash_flow (((occurred_at at time zone 'America/New_York')::date));

-- What people did, and what reorgs took, is little among what was done.
create index chain_log_taken on chain_log (taken_by) where taken_by is not null;
create index hedge_order_by_author on hedge_order (planned_at) where author is not null;
create index order_event_by_author on order_event (happened_at) where author is not null;
