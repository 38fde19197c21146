-- One row per trade after which money was made or lost by booking: realized is sold less bought plus
-- the book value of what is open. Shares that took or gave a name are left out: their books moved.
select symbol, executed_at, trade_type, trade_id
from (
    select r.*, sum(case side when 'SELL' then cash else -cash end) over (
        partition by symbol
        order by executed_at, trade_type desc, order_id, tie,
            split_part(trade_id, ':', 1)::bigint, nullif(split_part(trade_id, ':', 2), '')::bigint,
            nullif(split_part(trade_id, ':', 3), '')::bigint,
            array_position(array['order', 'alice', 'bob', 'inventory'], split_part(trade_id, ':', 4))) as earned
    from pnl_row r
    where known_to is null
        and symbol not in (select symbol from corporate_action where kind = 'rename' and withdrawn_at is null
                           union all
                           select to_symbol from corporate_action where kind = 'rename' and withdrawn_at is null)
) ordered
where cumulative_pnl <> earned + book_value_after
