-- One row per share that was traded since then: what is live counts in full, but a hedge that is only
-- planned, which is decided anew.
select symbol,
    sum(case state when 'closed' then filled else quantity end) as quantity,
    sum(round(case state when 'closed' then filled else quantity end * coalesce(reference_price, limit_price, 0), 18)) as usd
from hedge_order
where planned_at >= $1 and (state <> 'planned' or purpose = 'manual') and why is distinct from 'never placed'
group by symbol
