-- One row per trade of a share since a time, as it is known now.
select executed_at, trade_type, trade_id, order_id, tie, side, quantity, price, cash, realized_pnl, cumulative_pnl,
    net_position_after, book_value_after, fee, cumulative_fees, oracle_price, reference_price
from pnl_row
where symbol = $1 and executed_at >= $2 and known_to is null
order by executed_at
