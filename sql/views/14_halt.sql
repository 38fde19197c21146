-- One row per act of halting or resuming.
create view reporting.halt as
select
    h.id                                                    as act_number,
    h.symbol,
    h.act,
    h.reason,
    h.author,
    h.happened_at,
    h.act = 'halt' and not exists (
        select from halt later where later.id > h.id and later.symbol is not distinct from h.symbol) as holds,
    (h.happened_at at time zone 'America/New_York')::date   as et_date,
    date_trunc('week', h.happened_at at time zone 'America/New_York')::date as et_week,
    date_trunc('month', h.happened_at at time zone 'America/New_York')::date as et_month
from halt h;

comment on view reporting.halt is 'One row per act of halting or resuming, a share or everything. Append-only.';
comment on column reporting.halt.act_number is 'Number of the act, in the order of writing.';
comment on column reporting.halt.symbol is 'Ticker of the share. NULL: everything.';
comment on column reporting.halt.act is 'halt or resume.';
comment on column reporting.halt.reason is 'Why.';
comment on column reporting.halt.author is 'Who; hedge where it halted by itself.';
comment on column reporting.halt.happened_at is 'When, UTC.';
comment on column reporting.halt.holds is 'True while this halt holds.';
comment on column reporting.halt.et_date is 'Date of happened_at in New York.';
comment on column reporting.halt.et_week is 'Monday of the week of et_date.';
comment on column reporting.halt.et_month is 'First day of the month of et_date.';
