-- What the books and the world do not agree on. `hedge show breaks`
select state, class, leg, instrument, quantity, cash_usd_exact, value_usd, detail
from reporting.recon_break
where state not in ('RESOLVED', 'WRITTEN_OFF')
order by first_seen_at, break_id
