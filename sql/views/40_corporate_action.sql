-- One row per corporate action of a share that is known of.
create view reporting.corporate_action as
select
    x.action_id,
    x.kind,
    x.symbol,
    x.ex_date,
    x.effective_at,
    x.record_date,
    x.payable_date,
    x.ratio_new,
    x.ratio_old,
    x.to_symbol,
    x.cash_per_share                                        as cash_each,
    x.source,
    x.author,
    x.reason,
    x.known_at,
    x.withdrawn_at,
    x.withdrawn_why,
    (select sum(c.quantity) from correction c where c.action_id = x.action_id) as corrected,
    x.withdrawn_at is null                                  as holds,
    x.ex_date                                               as et_date,
    date_trunc('week', x.ex_date::timestamp)::date          as et_week,
    date_trunc('month', x.ex_date::timestamp)::date         as et_month
from corporate_action x;

comment on view reporting.corporate_action is
    'One row per corporate action of a share: a split, a new ticker, a cash dividend. Never edited: one that is called off is withdrawn.';
comment on column reporting.corporate_action.action_id is 'Its id: the source, and the id there. hedge action withdraw takes it.';
comment on column reporting.corporate_action.kind is 'split, rename or dividend.';
comment on column reporting.corporate_action.symbol is 'Ticker before it.';
comment on column reporting.corporate_action.ex_date is 'First day in New York on which trades are of the new kind.';
comment on column reporting.corporate_action.effective_at is 'Midnight in New York as that day begins, UTC.';
comment on column reporting.corporate_action.record_date is 'Who holds at the end of this day is meant. NULL when nobody said.';
comment on column reporting.corporate_action.payable_date is 'Day on which cash arrives. NULL when nobody said.';
comment on column reporting.corporate_action.ratio_new is 'Of a split: so many new ones for ratio_old old ones. NULL otherwise.';
comment on column reporting.corporate_action.ratio_old is 'Of a split: so many old ones become ratio_new new ones. NULL otherwise.';
comment on column reporting.corporate_action.to_symbol is 'Of a rename: the new ticker. NULL otherwise.';
comment on column reporting.corporate_action.cash_each is 'Of a dividend: dollars for each one held. NULL otherwise.';
comment on column reporting.corporate_action.source is 'Who told of it: the name of a venue, or hand.';
comment on column reporting.corporate_action.author is 'Who wrote it down, where a person did. NULL otherwise.';
comment on column reporting.corporate_action.reason is 'Why, where a person did. NULL otherwise.';
comment on column reporting.corporate_action.known_at is 'Since when it is known here, UTC.';
comment on column reporting.corporate_action.withdrawn_at is 'When it was called off, UTC. NULL while it stands.';
comment on column reporting.corporate_action.withdrawn_why is 'Why it was called off. NULL while it stands.';
comment on column reporting.corporate_action.corrected is 'What it added to stated exposure, all tickers together. Long is positive. NULL when nothing was held.';
comment on column reporting.corporate_action.holds is 'False where it was called off.';
comment on column reporting.corporate_action.et_date is 'The same as ex_date.';
comment on column reporting.corporate_action.et_week is 'Monday of the week of et_date.';
comment on column reporting.corporate_action.et_month is 'First day of the month of et_date.';
