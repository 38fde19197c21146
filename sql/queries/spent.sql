-- One row per share that was traded since then: what has left and is live counts in full.
select symbol,
    sum(case state when 'closed' then filled else quantity end) as quantity,
    sum(round(case state when 'closed' then filled else quantity end * coalesce(reference_price, limit_price, 0), 18)) as usd
from hedge_order
where planned_at >= $1 and state <> 'planned' and why is distinct from 'never placed'
group by symbol
