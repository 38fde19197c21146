-- One row per figure that is watched. $1 now. Labels that a figure does not have are null; at most 500 shares are told.
with position_of as (
    select *, row_number() over (order by abs(exposure_usd) desc nulls last, symbol) as place from reporting.position_now
),
newest as (
    select distinct on (job) job, state, started_at, finished_at from job_run where state <> 'skipped' order by job, due_at desc
)
select metric, source, symbol, venue, job, state, round(value, 18) as value
from (
    select 'hedge_source_block' as metric, source, null as symbol, null as venue, null as job, null as state, number::numeric as value from reporting.cursor
    union all
    select 'hedge_source_head_block', source, null, null, null, null, head from reporting.cursor
    union all
    select 'hedge_source_lag_blocks', source, null, null, null, null, lag_blocks from reporting.cursor
    union all
    select 'hedge_source_lag_seconds', source, null, null, null, null, lag_seconds from reporting.cursor
    union all
    select 'hedge_source_age_seconds', source, null, null, null, null, greatest(extract(epoch from $1 - looked_at), 0) from reporting.cursor
    union all
    select 'hedge_source_stopped', source, null, null, null, null, (stopped_at is not null)::int from reporting.cursor
    union all
    select 'hedge_source_unproved_blocks', s.name, null, null, null, null,
        coalesce(sum(r.to_block - r.from_block + 1) filter (where r.verdict = 'taken'), 0)
    from source s left join block_range r on r.source_id = s.id group by s.name
    union all
    select 'hedge_source_reorgs_total', s.name, null, null, null, null, count(r.id)
    from source s left join reorg r on r.source_id = s.id and r.cause = 'chain' group by s.name
    union all
    select 'hedge_source_skipped_logs', s.name, null, null, null, null, count(k.skipped_id)
    from source s left join reporting.skipped_log k on k.source = s.name and k.is_open group by s.name
    union all
    select 'hedge_node_contradictions_total', null, null, null, null, null, coalesce(sum(times), 0) from node_contradiction
    union all
    select 'hedge_exposure_shares', null, symbol, null, null, null, exposure from position_of where place <= 500
    union all
    select 'hedge_exposure_dollars', null, symbol, null, null, null, exposure_usd from position_of where place <= 500
    union all
    select 'hedge_position_shares', null, symbol, null, null, null, position from position_of where place <= 500
    union all
    select 'hedge_in_flight_shares', null, symbol, null, null, null, in_flight from position_of where place <= 500
    union all
    select 'hedge_hold_age_seconds', null, symbol, null, null, hold, greatest(extract(epoch from $1 - hold_since), 0)
    from position_of where place <= 500 and hold is not null
    union all
    select 'hedge_orders', null, null, v.name, null, o.state, count(*)
    from hedge_order o join venue v on v.id = o.venue_id where o.state <> 'closed' group by v.name, o.state
    union all
    select 'hedge_orders_closed_total', null, null, v.name, null, o.why, sum(o.orders)
    from (select venue_id, why, count(*) as orders from hedge_order where state = 'closed' group by venue_id, why) o
    join venue v on v.id = o.venue_id group by v.name, o.why
    union all
    select 'hedge_order_unanswered_age_seconds', null, null, null, null, null,
        coalesce(greatest(extract(epoch from $1 - min(sent_at)), 0), 0) from hedge_order where state = 'sent'
    union all
    select 'hedge_lease_held', null, null, null, null, null, (count(*) filter (where expires_at > clock_timestamp()))::int from lease
    union all
    select 'hedge_sweep_timestamp_seconds', null, null, null, null, null, extract(epoch from max(seen_at)) from hold
    union all
    select 'hedge_halts', null, null, null, null, null, count(*) from halt h
    where h.act = 'halt' and not exists (
        select from halt later where later.id > h.id and later.symbol is not distinct from h.symbol)
    union all
    select 'hedge_job_last_run_timestamp_seconds', null, null, null, job, null, extract(epoch from finished_at) from newest
    union all
    select 'hedge_job_last_run_duration_seconds', null, null, null, job, null, extract(epoch from finished_at - started_at) from newest
    union all
    select 'hedge_job_last_run_state', null, null, null, job, state, 1 from newest
    union all
    select 'hedge_alerts', null, null, null, null, s.severity, count(a.key)
    from (values ('critical'), ('warning'), ('info')) s (severity)
    left join alert a on a.severity = s.severity and a.phase = 'firing' group by s.severity
    union all
    select 'hedge_letters', null, null, null, null, s.state, count(o.id)
    from (values ('waiting'), ('sending'), ('failed'), ('poisoned')) s (state) left join outbox o on o.state = s.state group by s.state
    union all
    select 'hedge_pnl_dollars', null, null, null, null, null, coalesce(sum(realized - fees), 0) from pnl_total
    union all
    select 'hedge_breaks', null, null, null, null, class, count(*)
    from recon_break where state not in ('RESOLVED', 'WRITTEN_OFF') group by class
) figure
where value is not null
order by metric, source, symbol, venue, job, state
