-- One row per movement of cash of an activity that was taken back, booked the other way round.
insert into cash_flow (flow_id, kind, venue_id, symbol, amount, occurred_at, execution_id, tx_hash, valuation, said)
select flow_id || ' taken back', kind, venue_id, symbol, -amount, occurred_at, execution_id, tx_hash, valuation, $2
from cash_flow
where (flow_id = $1 or starts_with(flow_id, $1 || '/')) and right(flow_id, 11) <> ' taken back'
on conflict do nothing
returning flow_id
