-- One row per break that lived on a date: what it was at the end of it, at the price of its last reconciliation until
-- then; those that need somebody come first.
select b.leg, b.instrument, b.class, e.state, e.quantity,
    round(e.quantity * case when b.instrument in ('USD', 'USDC') then 1 else p.price end, 18)::numeric(38,18) as value,
    b.first_seen,
    exists (
        select from recon_break_event c
        where c.break_id = b.id and c.happened_at >= d.begins and c.happened_at < d.ends
            and (c.event = 'reopened' or b.first_seen >= d.begins)) as came,
    e.state in ('RESOLVED', 'WRITTEN_OFF') as is_over
from (
    select $1::text::date::timestamp at time zone 'America/New_York' as begins,
        ($1::text::date + 1)::timestamp at time zone 'America/New_York' as ends
) d
cross join recon_break b
join lateral (
    select state, quantity, happened_at
    from recon_break_event
    where break_id = b.id and happened_at < d.ends
    order by id desc limit 1
) e on e.state not in ('RESOLVED', 'WRITTEN_OFF') or e.happened_at >= d.begins
left join lateral (
    select l.price from recon_leg l
    join recon_run r on r.id = l.run_id
    where (l.leg, l.account, l.instrument) = (b.leg, b.account, b.instrument) and l.price is not null and r.finished_at < d.ends
    order by l.run_id desc limit 1
) p on true
order by is_over, e.state in ('EXPLAINED', 'ACKNOWLEDGED'), abs(e.quantity) * coalesce(p.price, 1) desc, b.id
