-- What the books of P&L said: at any instant, by when trades happened and by when they were known here.
create function reporting.pnl_as_of(effective timestamptz, known timestamptz default now())
returns table (symbol text, realized_usd_exact numeric, fees_usd_exact numeric, net_quantity numeric, book_value_usd_exact numeric,
               trades bigint, last_trade_at timestamptz)
language sql stable security definer set search_path from current
as $$
with told as (
    select r.*,
        -- In the order in which trades count: by time, on chain before at a broker, then by place.
        row_number() over (partition by r.symbol order by r.executed_at desc, (r.trade_type = 'OFFCHAIN') desc, r.order_id desc nulls last,
            r.tie desc nulls last, case r.trade_type when 'OFFCHAIN' then array[r.trade_id::bigint]
                else (string_to_array(r.trade_id, ':'))[1:3]::bigint[] end desc, r.trade_id desc) as from_last,
        count(*) over (partition by r.symbol) as in_all
    from pnl_row r
    where r.executed_at <= effective and r.known_from <= known and (r.known_to is null or r.known_to > known)
)
select symbol::text, cumulative_pnl, cumulative_fees, net_position_after, book_value_after, in_all, executed_at
from told
where from_last = 1
order by symbol
$$;
comment on function reporting.pnl_as_of is
    'What every share had earned at an instant (effective), fees aside, by what was counted at another (known; left out: now): the last trade''s version that stood then.';
