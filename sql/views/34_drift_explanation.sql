-- One row per part of a difference that has evidence.
create view reporting.drift_explanation as
select
    e.run_id,
    r.business_date,
    e.pass < r.passes                                       as is_taken_up,
    e.leg,
    e.account,
    e.instrument,
    e.class,
    e.amount,
    array_to_string(e.refs, '; ')                           as evidence,
    e.deadline                                              as deadline_at,
    e.tolerated                                             as is_rounding,
    e.detail,
    r.business_date as et_date,
    date_trunc('week', r.business_date::timestamp)::date as et_week,
    date_trunc('month', r.business_date::timestamp)::date as et_month
from recon_explanation e
join recon_run r on r.id = e.run_id;

comment on view reporting.drift_explanation is 'One row per part of a difference that has evidence, and what that is.';
comment on column reporting.drift_explanation.run_id is 'Number of the run.';
comment on column reporting.drift_explanation.business_date is 'The date in New York that the run is about.';
comment on column reporting.drift_explanation.is_taken_up is 'Whether the run took it up into the books, so that the difference is gone.';
comment on column reporting.drift_explanation.leg is 'vault, wallet, broker, cash, transit or wrapper, as in recon_leg.';
comment on column reporting.drift_explanation.account is 'Where: the source, and behind a slash owner, token and vault.';
comment on column reporting.drift_explanation.instrument is 'A ticker, USDC, or USD.';
comment on column reporting.drift_explanation.class is 'Why: one of the classes with evidence.';
comment on column reporting.drift_explanation.amount is 'The part of the residual, signed, in the unit of the leg.';
comment on column reporting.drift_explanation.evidence is 'Ids of logs, orders, trades, activities, announcements.';
comment on column reporting.drift_explanation.deadline_at is 'Until when it should have passed, UTC. NULL: it need not.';
comment on column reporting.drift_explanation.is_rounding is 'Whether it is within what brokers round: nobody follows it.';
comment on column reporting.drift_explanation.detail is 'In words.';
comment on column reporting.drift_explanation.et_date is 'Day in New York that it is about.';
comment on column reporting.drift_explanation.et_week is 'Monday of the week of et_date.';
comment on column reporting.drift_explanation.et_month is 'First day of the month of et_date.';
