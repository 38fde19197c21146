-- Short ways for who looks, over books of many years: what brokers traded is summed as what was filled is.

-- One row per share: executions of our orders up to the line of `execution_line`, summed. A cache: triggers keep it
-- true, and `sql/checks/execution_close.sql` proves it.
create table execution_close (
    symbol    text           primary key,
    quantity  numeric(38,18) not null
);

-- One row: the last execution that is summed.
create table execution_line (
    only_one  boolean primary key default true,
    closed_to bigint  not null,
    constraint executions_have_one_line check (only_one)
);
insert into execution_line (closed_to) values (0);
create function the_line_stays() returns trigger language plpgsql as $$
begin
    raise exception '% of % refused: sums end there', tg_op, tg_table_name using errcode = 'insufficient_privilege';
end
$$;
create trigger the_line_stays before delete or truncate on execution_line
    for each statement execute function the_line_stays();

-- Who writes executions holds the line, and who moves it waits for none of them: so no execution below it comes unseen.
create function an_execution_holds_the_line() returns trigger language plpgsql as $$
begin
    perform from execution_line for key share;
    return null;
end
$$;
create trigger an_execution_holds_the_line before insert or update on execution
    for each statement execute function an_execution_holds_the_line();

-- Whose an execution was may be learnt when it lies below the line: then it is added there.
create function a_late_claim_counts() returns trigger language plpgsql as $$
begin
    insert into execution_close as closed (symbol, quantity)
    select n.symbol, sum(n.quantity)
    from claimed n join unclaimed o using (id) cross join execution_line
    where o.order_id is null and n.order_id is not null and n.id <= closed_to
    group by n.symbol
    on conflict (symbol) do update set quantity = closed.quantity + excluded.quantity;
    return null;
end
$$;
create trigger a_late_claim_counts after update on execution
    referencing old table as unclaimed new table as claimed for each statement execute function a_late_claim_counts();

-- Sums executions, once there are so many of them that are not summed and nobody is writing one.
create function close_executions(at_least bigint) returns void language plpgsql as $$
declare
    line bigint;
    newest bigint;
begin
    if (select max(id) from execution) < (select closed_to from execution_line) + at_least is not false then
        return;
    end if;
    select closed_to into line from execution_line for update skip locked;
    if line is null then
        return;
    end if;
    select max(id) into newest from execution;
    insert into execution_close as closed (symbol, quantity)
    select symbol, sum(quantity) from execution
    where id > line and id <= newest and order_id is not null
    group by symbol
    on conflict (symbol) do update set quantity = closed.quantity + excluded.quantity;
    update execution_line set closed_to = newest;
end
$$;

-- Of a share, its fills: few places of the index are written to, so this costs the reading of history little.
create index fill_by_symbol on fill (symbol);

-- What reads otherwise than it did, by its trade and by the day on which that was learnt.
create index pnl_row_that_was_by_trade on pnl_row (symbol, executed_at) where known_to is not null;
create index pnl_row_that_was_by_et_date on pnl_row (((known_to at time zone 'America/New_York')::date)) where known_to is not null;

-- The days of all shares: found by their date, and summed. Triggers keep the sums true, `sql/checks/pnl_total.sql` proves them.
create index pnl_day_by_date on pnl_day (et_date);

-- One row per New York day: `pnl_day` of all shares, summed.
create table pnl_total (
    et_date    date           primary key,
    shares     bigint         not null,
    trades     bigint         not null,
    realized   numeric(38,18) not null,
    fees       numeric(38,18) not null,
    edge       numeric(38,18) not null,
    drift      numeric(38,18) not null,
    slippage   numeric(38,18) not null
);
create function pnl_days_are_summed() returns trigger language plpgsql as $$
declare
    sign int := case tg_op when 'DELETE' then -1 else 1 end;
begin
    insert into pnl_total as total
    select et_date, sign * count(*), sign * sum(trades), sign * sum(onchain_netting + counter_trade + directional), sign * sum(fees),
        sign * sum(edge), sign * sum(drift), sign * sum(slippage)
    from changed group by et_date order by et_date
    on conflict (et_date) do update set shares = total.shares + excluded.shares, trades = total.trades + excluded.trades,
        realized = total.realized + excluded.realized, fees = total.fees + excluded.fees, edge = total.edge + excluded.edge,
        drift = total.drift + excluded.drift, slippage = total.slippage + excluded.slippage;
    delete from pnl_total where shares = 0 and tg_op = 'DELETE';
    return null;
end
$$;
create trigger days_come after insert on pnl_day
    referencing new table as changed for each statement execute function pnl_days_are_summed();
create trigger days_go after delete on pnl_day
    referencing old table as changed for each statement execute function pnl_days_are_summed();
create function pnl_days_come_and_go() returns trigger language plpgsql as $$
begin
    raise exception '% of % refused: a day is counted again whole', tg_op, tg_table_name using errcode = 'insufficient_privilege';
end
$$;
create trigger days_come_and_go before update or truncate on pnl_day
    for each statement execute function pnl_days_come_and_go();
insert into pnl_total
select et_date, count(*), sum(trades), sum(onchain_netting + counter_trade + directional), sum(fees), sum(edge), sum(drift), sum(slippage)
from pnl_day group by et_date;

-- What was written after an instant: in the order of time, nearly.
create index chain_log_by_writing on chain_log using brin (written_at);

-- What was refused is little, and each sweep asks for it.
create index hedge_order_refused on hedge_order (closed_at) where why = 'refused';

-- How fresh is what was said: one place of an index each.
create index mark_by_time on mark (as_of);
create index mark_by_saying on mark (said_at);
create index cash_flow_by_booking on cash_flow (booked_at);
