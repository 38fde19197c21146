-- One row where it is new: a movement of cash that is no trade.
insert into cash_flow (flow_id, kind, venue_id, symbol, amount, occurred_at, execution_id, tx_hash, valuation, said)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict do nothing
returning flow_id
