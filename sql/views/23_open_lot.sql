-- One row per lot that is open now, oldest first: what was taken on together and is not closed yet.
create view reporting.open_lot as
select
    l.symbol::text                  as symbol,
    l.position                      as position,
    l.opened_at                     as opened_at,
    ((l.opened_at) at time zone 'America/New_York')::date as et_date,
    date_trunc('week', (l.opened_at) at time zone 'America/New_York')::date as et_week,
    date_trunc('month', (l.opened_at) at time zone 'America/New_York')::date as et_month,
    l.opening_type                  as opening_type,
    l.opening_id::text              as opening_id,
    l.side                          as side,
    l.quantity::numeric(28,9)       as quantity,
    l.quantity                      as quantity_exact,
    round(l.cost, 2)::numeric(20,2) as cost_usd,
    l.cost                          as cost_usd_exact
from open_lot l;

comment on view reporting.open_lot is
    'One row per lot that is open now, oldest first: what was taken on together and is not closed yet.';
comment on column reporting.open_lot.symbol is 'Ticker of the share.';
comment on column reporting.open_lot.position is 'Its place in the queue: 0 is closed next.';
comment on column reporting.open_lot.opened_at is 'When it was opened, UTC.';
comment on column reporting.open_lot.et_date is 'Date of opened_at in New York.';
comment on column reporting.open_lot.et_week is 'Monday of that week.';
comment on column reporting.open_lot.et_month is 'First day of that month.';
comment on column reporting.open_lot.opening_type is 'ONCHAIN: a fill; OFFCHAIN: an execution at a broker.';
comment on column reporting.open_lot.opening_id is 'Of a fill chain:block:log:role, of an execution its number in reporting.execution.';
comment on column reporting.open_lot.side is 'LONG or SHORT.';
comment on column reporting.open_lot.quantity is 'What is left of it, without sign, for display.';
comment on column reporting.open_lot.quantity_exact is 'The same to the last unit.';
comment on column reporting.open_lot.cost_usd is 'What that cost, or what a short one brought, without sign. In dollars and cents, for display.';
comment on column reporting.open_lot.cost_usd_exact is 'What that cost, or what a short one brought, without sign. To the last unit.';
