-- One row per break: what its events have left of it.
create view reporting.recon_break as
select
    b.id                                                    as break_id,
    b.state,
    case when not b.stuck then b.class
         when b.class = 'TRANSFER_IN_FLIGHT' then 'TRANSFER_STUCK'
         else regexp_replace(b.class, '_IN_FLIGHT$', '') || '_STUCK' end as class,
    b.leg,
    b.account,
    b.instrument,
    b.quantity,
    b.cash                                                  as cash_usd_exact,
    round(b.quantity * case when b.instrument in ('USD', 'USDC') then 1 else m.price end, 2)::numeric(20,2) as value_usd,
    b.first_seen                                            as first_seen_at,
    b.changed_at,
    b.deadline                                              as deadline_at,
    b.acknowledged_until                                    as acknowledged_until_at,
    array_to_string(b.refs, '; ')                           as evidence,
    b.detail,
    (b.first_seen at time zone 'America/New_York')::date as et_date,
    date_trunc('week', (b.first_seen at time zone 'America/New_York')::date::timestamp)::date as et_week,
    date_trunc('month', (b.first_seen at time zone 'America/New_York')::date::timestamp)::date as et_month
from recon_break b
left join lateral (
    select l.price from recon_leg l
    where (l.leg, l.account, l.instrument) = (b.leg, b.account, b.instrument) and l.price is not null
    order by l.run_id desc limit 1
) m on true;

comment on view reporting.recon_break is
    'One row per break: a difference between one source and our books, from first seen to resolved. What it came through is in recon_break_event.';
comment on column reporting.recon_break.break_id is 'Number of the break.';
comment on column reporting.recon_break.state is
    'OPEN, REOPENED: somebody has to look. EXPLAINED: has evidence and time. ACKNOWLEDGED: somebody knows. RESOLVED: gone. WRITTEN_OFF: booked as it is.';
comment on column reporting.recon_break.class is 'Why; ends in STUCK once its deadline has passed. UNEXPLAINED: no evidence with an id.';
comment on column reporting.recon_break.leg is 'vault, wallet, broker, cash, transit, as in recon_leg.';
comment on column reporting.recon_break.account is 'Where: the source, and behind a slash owner, token and vault.';
comment on column reporting.recon_break.instrument is 'A ticker, USDC, or USD.';
comment on column reporting.recon_break.quantity is 'Reported less expected when last seen, in the unit of the leg.';
comment on column reporting.recon_break.cash_usd_exact is 'The dollars that go with it, exact and signed. NULL where none do.';
comment on column reporting.recon_break.value_usd is 'Quantity at the newest mark of a run, in dollars with 2 decimals. NULL without a mark.';
comment on column reporting.recon_break.first_seen_at is 'When it was first seen, this time, UTC.';
comment on column reporting.recon_break.changed_at is 'When its last event was, UTC.';
comment on column reporting.recon_break.deadline_at is 'Until when what explains it should have passed, UTC. NULL: there is none.';
comment on column reporting.recon_break.acknowledged_until_at is 'Until when nobody wants to hear of it, UTC. NULL: nobody said so.';
comment on column reporting.recon_break.evidence is 'Ids of logs, orders, trades, activities that it rests on. Empty where nothing explains it.';
comment on column reporting.recon_break.detail is 'In words.';
comment on column reporting.recon_break.et_date is 'Day in New York that it is about.';
comment on column reporting.recon_break.et_week is 'Monday of the week of et_date.';
comment on column reporting.recon_break.et_month is 'First day of the month of et_date.';
