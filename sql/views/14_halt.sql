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
        select from halt later where later.id > h.id and later.symbol is not distinct from h.symbol) as holds
from halt h;

comment on view reporting.halt is 'One row per act of halting or resuming, a share or everything. Append-only.';
comment on column reporting.halt.act_number is 'Number of the act, in the order of writing.';
comment on column reporting.halt.symbol is 'Ticker of the share. NULL: everything.';
comment on column reporting.halt.act is 'halt or resume.';
comment on column reporting.halt.reason is 'Why.';
comment on column reporting.halt.author is 'Who; hedge where it halted by itself.';
comment on column reporting.halt.happened_at is 'When, UTC.';
comment on column reporting.halt.holds is 'True while this halt holds.';
