-- What is exposed now, and of what that is the sum. `hedge show positions`, and `hedge why SPYM`
select symbol, exposure, exposure_usd, onchain, hedged, in_flight, hold
from reporting.position_now
order by symbol
