-- One row per share, the largest exposure in dollars first.
select *
from reporting.position_now
where ($1::text is null or symbol = $1)
order by abs(exposure_usd) desc nulls last, abs(exposure) desc, symbol
limit $2::bigint
