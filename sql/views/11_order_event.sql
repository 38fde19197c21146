-- One row per move of an order, with what it rests on.
create view reporting.order_event as
select
    e.id                                                    as event_id,
    e.order_id,
    o.symbol,
    e.event,
    e.state,
    e.detail,
    e.evidence,
    e.author,
    e.happened_at,
    (e.happened_at at time zone 'America/New_York')::date   as et_date,
    date_trunc('week', e.happened_at at time zone 'America/New_York')::date as et_week,
    date_trunc('month', e.happened_at at time zone 'America/New_York')::date as et_month
from order_event e
join hedge_order o on o.id = e.order_id;

comment on view reporting.order_event is
    'One row per move of an order, with what it rests on: the broker''s answer, or the searches. Append-only.';
comment on column reporting.order_event.event_id is 'Number of the event, in the order of writing.';
comment on column reporting.order_event.order_id is 'Number of the order.';
comment on column reporting.order_event.symbol is 'Ticker of the share.';
comment on column reporting.order_event.event is 'What happened, in a word or two.';
comment on column reporting.order_event.state is 'State of the order after it.';
comment on column reporting.order_event.detail is 'The same in a sentence.';
comment on column reporting.order_event.evidence is 'The broker''s answer as it came, at most 16000 characters. NULL where there was none.';
comment on column reporting.order_event.author is 'Who acted. NULL where hedge did by itself.';
comment on column reporting.order_event.happened_at is 'When, UTC.';
comment on column reporting.order_event.et_date is 'Date of happened_at in New York.';
comment on column reporting.order_event.et_week is 'Monday of the week of et_date.';
comment on column reporting.order_event.et_month is 'First day of the month of et_date.';
