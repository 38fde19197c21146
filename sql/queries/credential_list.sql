-- One row per login, by venue, without what is sealed.
select
    venue,
    key_fingerprint,
    login_at,
    refreshed_at,
    access_until
from credential
order by venue
