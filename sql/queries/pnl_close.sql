-- One row per version that is no longer what is known.
update pnl_row r
set known_to = greatest($1, r.known_from), ended_by = c.ended_by
from pnl_closing c
where r.known_to is null
    and (r.symbol, r.executed_at, r.trade_type, r.trade_id) = (c.symbol, c.executed_at, c.trade_type, c.trade_id)
