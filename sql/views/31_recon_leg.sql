-- One row per balance of a reconciliation: what the books say, what the source says, and what is between.
create view reporting.recon_leg as
select
    l.run_id,
    r.business_date,
    l.leg,
    l.account,
    l.instrument,
    l.expected,
    l.reported,
    l.unsettled                                             as unsettled_usd_exact,
    l.residual,
    l.explained,
    l.unexplained,
    round(l.residual * l.price, 2)::numeric(20,2)                          as residual_usd,
    round(l.unexplained * l.price, 2)::numeric(20,2)                       as unexplained_usd,
    array_to_string(l.candidates, '; ')                     as candidates,
    r.business_date as et_date,
    date_trunc('week', r.business_date::timestamp)::date as et_week,
    date_trunc('month', r.business_date::timestamp)::date as et_month
from recon_leg l
join recon_run r on r.id = l.run_id;

comment on view reporting.recon_leg is
    'One row per place and instrument of a reconciliation: residual = reported - expected = explained + unexplained, to the last digit.';
comment on column reporting.recon_leg.run_id is 'Number of the run.';
comment on column reporting.recon_leg.business_date is 'The date in New York that the run is about.';
comment on column reporting.recon_leg.leg is 'vault, wallet: tokens on chain; broker: shares; cash: dollars at a broker; transit: under way; wrapper: worth of wrapped tokens.';
comment on column reporting.recon_leg.account is 'Where: the source, and behind a slash owner, token and vault.';
comment on column reporting.recon_leg.instrument is 'A ticker, USDC, or USD.';
comment on column reporting.recon_leg.expected is 'What the books say, at the moment the source speaks of. Whole tokens, shares or dollars.';
comment on column reporting.recon_leg.reported is 'What the source says.';
comment on column reporting.recon_leg.unsettled_usd_exact is
    'Of cash at a broker: dollars of reported that have not settled yet. Part of it, and no break. NULL where the broker does not say.';
comment on column reporting.recon_leg.residual is 'Reported less expected.';
comment on column reporting.recon_leg.explained is 'The part of it that has evidence with an id.';
comment on column reporting.recon_leg.unexplained is 'The part of it that has none.';
comment on column reporting.recon_leg.residual_usd is 'The residual at the mark, in dollars with 2 decimals. NULL without a mark.';
comment on column reporting.recon_leg.unexplained_usd is 'What is unexplained at the mark, in dollars with 2 decimals. NULL without a mark.';
comment on column reporting.recon_leg.candidates is
    'What may have to do with what is unexplained: equal amounts, simple ratios. Never subtracted. Empty where there is nothing.';
comment on column reporting.recon_leg.et_date is 'Day in New York that it is about.';
comment on column reporting.recon_leg.et_week is 'Monday of the week of et_date.';
comment on column reporting.recon_leg.et_month is 'First day of the month of et_date.';
