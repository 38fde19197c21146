-- One row per share: what is held of it without a hedge, what live orders would do, and why nothing is done.
select symbol, position, in_flight, hold, hold_since from reporting.position_now order by symbol
