-- One row per trade, newest first: what it earned.
select *
from reporting.trade_pnl
where ($1::text is null or symbol = $1)
order by executed_at desc, symbol, trade_type, trade_id
limit $2::bigint
