-- One row: the number of the last event of any order, or 0.
select coalesce(max(id), 0) as event_id from order_event
