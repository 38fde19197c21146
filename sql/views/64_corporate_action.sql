-- One row per corporate action of a share that is known.
create view reporting.corporate_action as
select
    a.id                                                    as action_number,
    a.action_id,
    a.kind,
    a.symbol,
    a.ex_date,
    a.effective_at,
    a.record_date,
    a.payable_date,
    a.ratio_new,
    a.ratio_old,
    a.to_symbol,
    a.cash_per_share                                        as cash_each_usd_exact,
    a.source,
    a.author,
    a.reason,
    a.known_at,
    a.withdrawn_at,
    a.withdrawn_why,
    a.withdrawn_at is null                                  as holds,
    a.ex_date                                               as et_date,
    date_trunc('week', a.ex_date)::date                     as et_week,
    date_trunc('month', a.ex_date)::date                    as et_month
from corporate_action a;

comment on view reporting.corporate_action is 'One row per corporate action of a share that is known: a split, a new ticker, a dividend. What was called off stays, and does not hold.';
comment on column reporting.corporate_action.action_number is 'Number of the action here, in the order in which they became known.';
comment on column reporting.corporate_action.action_id is 'The source''s own id of it.';
comment on column reporting.corporate_action.kind is 'split, rename or dividend.';
comment on column reporting.corporate_action.symbol is 'Ticker of the share before it.';
comment on column reporting.corporate_action.ex_date is 'First day, in New York, that trades without it.';
comment on column reporting.corporate_action.effective_at is 'From when on it counts, UTC: before the first trade of ex_date.';
comment on column reporting.corporate_action.record_date is 'Day on which who holds the share is entitled. NULL where the source names none.';
comment on column reporting.corporate_action.payable_date is 'Day of payment. NULL where the source names none.';
comment on column reporting.corporate_action.ratio_new is 'Of a split: so many new ones. NULL otherwise.';
comment on column reporting.corporate_action.ratio_old is 'Of a split: for so many old ones. NULL otherwise.';
comment on column reporting.corporate_action.to_symbol is 'Of a rename: the new ticker. NULL otherwise.';
comment on column reporting.corporate_action.cash_each_usd_exact is 'Of a dividend: dollars for each one held. NULL otherwise.';
comment on column reporting.corporate_action.source is 'Name of the venue that said it; hand: a person did.';
comment on column reporting.corporate_action.author is 'Who entered it. NULL where a venue said it.';
comment on column reporting.corporate_action.reason is 'Why it was entered. NULL where a venue said it.';
comment on column reporting.corporate_action.known_at is 'When it became known here, UTC.';
comment on column reporting.corporate_action.withdrawn_at is 'When it was called off, UTC. NULL while it holds.';
comment on column reporting.corporate_action.withdrawn_why is 'Why it was called off. NULL while it holds.';
comment on column reporting.corporate_action.holds is 'False where it was called off.';
comment on column reporting.corporate_action.et_date is 'The same as ex_date.';
comment on column reporting.corporate_action.et_week is 'Monday of the week of et_date.';
comment on column reporting.corporate_action.et_month is 'First day of the month of et_date.';
