-- One row, or none: what a share was last traded at on chain.
select last_fill_price, last_fill_at
from reporting.position_now
where symbol = $1 and last_fill_price is not null
