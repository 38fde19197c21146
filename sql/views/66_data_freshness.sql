-- One row per place that the books are fed from: how far it is known, and when somebody looked last.
create view reporting.data_freshness as
with told as (
    select 'chain' as what, s.name, c.block_time as watermark_at, c.looked_at as refreshed_at, c.stopped_why as detail
    from source s join cursor c on c.source_id = s.id
    union all
    select 'broker', v.name, v.scanned_to, v.scanned_to, null from venue v
    union all
    select 'job', r.job, (r.business_date + 1)::timestamp at time zone 'America/New_York', r.finished_at, r.state || ': ' || r.said
    from (select distinct on (job) * from job_run where finished_at is not null order by job, finished_at desc) r
    union all
    select 'marks', null, newest.as_of, newest.said_at, null
    from (select (select max(as_of) from mark) as as_of, (select max(said_at) from mark) as said_at) newest where as_of is not null
    union all
    select 'cash', null, newest.occurred_at, newest.booked_at, null
    from (select (select max(occurred_at) from cash_flow) as occurred_at, (select max(booked_at) from cash_flow) as booked_at) newest
    where occurred_at is not null
)
select what, name, watermark_at, refreshed_at,
    greatest(extract(epoch from now() - refreshed_at), 0)::bigint as age_seconds,
    detail
from told;

comment on view reporting.data_freshness is
    'One row per place that the books are fed from: up to when what it says is known, and when it was asked last. It belongs on top of every dashboard.';
comment on column reporting.data_freshness.what is 'chain, broker, job, marks (prices that what is open is valued at) or cash (fees, interest, dividends).';
comment on column reporting.data_freshness.name is 'Of which: a source, a venue or a job. NULL where there is one.';
comment on column reporting.data_freshness.watermark_at is 'What happened up to then is known, UTC; of a job the end of its day in New York. NULL where nothing is known yet.';
comment on column reporting.data_freshness.refreshed_at is 'When it was asked or counted last, UTC. NULL where it never was.';
comment on column reporting.data_freshness.age_seconds is 'Seconds since then. NULL where it never was.';
comment on column reporting.data_freshness.detail is 'What was said of it last: why a source stopped, what a job found. NULL where there is nothing to say.';
