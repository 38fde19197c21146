-- One row, or none: what is known of a share.
select exposure, position, onchain, hedged, stated, in_flight, last_fill_price, last_fill_at, exposure_usd,
    hold, hold_detail, hold_since
from reporting.position_now
where symbol = $1
