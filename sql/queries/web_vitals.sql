-- One row: what says at a glance whether all is well, but for sources and exposures.
with newest as (
    select distinct on (job) job, business_date, state, said, started_at, finished_at
    from job_run where state <> 'skipped' order by job, due_at desc
),
open_alert as (
    select severity, about, since from alert where phase = 'firing'
)
select
    (select count(*) from go_live)                                          as live_sources,
    l.holder, l.expires_at > clock_timestamp()                              as held, l.expires_at,
    (select max(seen_at) from hold)                                         as swept_at,
    (select string_agg(coalesce(h.symbol, 'everything'), ', ' order by h.symbol nulls first) from halt h
     where h.act = 'halt' and not exists (
         select from halt later where later.id > h.id and later.symbol is not distinct from h.symbol)) as halted,
    (select count(*) from hedge_order where state <> 'closed')              as live_orders,
    (select string_agg('#' || id, ', ' order by id) from hedge_order where state = 'ambiguous') as ambiguous,
    u.id as unanswered, u.symbol as unanswered_symbol, u.sent_at as unanswered_at,
    r.status as proof, r.open_breaks, r.said as proof_said, r.business_date as proof_date, r.finished_at as proof_at,
    (select count(*) from newest)                                           as jobs,
    (select string_agg(job, ', ' order by job) from newest where state in ('failed', 'inconsistent')) as failed_jobs,
    (select string_agg(job, ', ' order by job) from newest where state in ('found', 'incomplete')) as jobs_that_found,
    (select max(finished_at) from newest)                                   as job_at,
    (select count(*) from open_alert where severity = 'critical')           as critical,
    (select count(*) from open_alert where severity = 'warning')            as warnings,
    (select count(*) from open_alert where severity = 'info')               as infos,
    (select about from open_alert order by severity = 'critical' desc, severity = 'warning' desc, since limit 1) as first_alert
from (select) one
left join lease l on true
left join lateral (
    select id, symbol, sent_at from hedge_order where state = 'sent' order by sent_at limit 1
) u on true
left join lateral (
    select status, open_breaks, said, business_date, finished_at from recon_run order by id desc limit 1
) r on true
