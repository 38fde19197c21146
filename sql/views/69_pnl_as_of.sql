-- What the books of P&L said: at any instant, by when trades happened and by when they were known here.
create function reporting.pnl_as_of(effective timestamptz, known timestamptz default now())
returns table (symbol text, realized_usd_exact numeric, fees_usd_exact numeric, net_quantity numeric, book_value_usd_exact numeric,
               trades bigint, last_trade_at timestamptz)
language sql stable security definer set search_path from current
as $$
with recursive counted (symbol) as (
    (select symbol from pnl_row where known_to is null order by symbol limit 1)
    union all
    select (select r.symbol from pnl_row r where r.known_to is null and r.symbol > c.symbol order by r.symbol limit 1)
    from counted c where c.symbol is not null
),
share as (
    select symbol from counted where symbol is not null
    union
    select symbol from pnl_row where known_to is not null
)
select s.symbol::text, r.cumulative_pnl, r.cumulative_fees, r.net_position_after, r.book_value_after,
    (select count(*) from pnl_row n where n.symbol = s.symbol and n.executed_at <= effective and n.known_from <= known and n.known_to is null)
    + (select count(*) from pnl_row n where n.symbol = s.symbol and n.executed_at <= effective and n.known_from <= known and n.known_to > known),
    r.executed_at
from share s
-- The last one of those that stand and of those that stood then, by an index each. In the order in which trades count:
-- by time, on chain before at a broker, then by place.
cross join lateral (
    select * from (
        (select * from pnl_row
         where symbol = s.symbol and executed_at <= effective and known_from <= known and known_to is null
         order by executed_at desc, (trade_type = 'OFFCHAIN') desc, order_id desc nulls last, tie desc nulls last,
            case trade_type when 'OFFCHAIN' then array[trade_id::bigint] else (string_to_array(trade_id, ':'))[1:3]::bigint[] end desc, trade_id desc
         limit 1)
        union all
        (select * from pnl_row
         where symbol = s.symbol and executed_at <= effective and known_from <= known and known_to > known
         order by executed_at desc, (trade_type = 'OFFCHAIN') desc, order_id desc nulls last, tie desc nulls last,
            case trade_type when 'OFFCHAIN' then array[trade_id::bigint] else (string_to_array(trade_id, ':'))[1:3]::bigint[] end desc, trade_id desc
         limit 1)
    ) last
    order by executed_at desc, (trade_type = 'OFFCHAIN') desc, order_id desc nulls last, tie desc nulls last,
            case trade_type when 'OFFCHAIN' then array[trade_id::bigint] else (string_to_array(trade_id, ':'))[1:3]::bigint[] end desc, trade_id desc
    limit 1
) r
order by s.symbol
$$;
comment on function reporting.pnl_as_of is
    'What every share had earned at an instant (effective), fees aside, by what was counted at another (known; left out: now): the last trade''s version that stood then.';
