-- One row per login, by venue, without what is sealed.
select
    venue,
    key_fingerprint,
    (extract(epoch from login_at) * 1000000)::bigint     as login_at,
    (extract(epoch from refreshed_at) * 1000000)::bigint as refreshed_at,
    (extract(epoch from access_until) * 1000000)::bigint as access_until
from credential
order by venue
