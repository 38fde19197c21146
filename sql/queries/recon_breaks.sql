-- One row per key: the newest break of it.
select distinct on (key) id, key, leg, account, instrument, class, stuck, state, quantity, cash, deadline, acknowledged_until,
    first_seen, changed_at, refs, detail
from recon_break
where $1::bigint is null or id = $1
order by key, id desc
