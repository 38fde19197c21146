-- One row per break: those that are open, or ($1) one of any state; of one instrument ($2) or all; at most $3. What it
-- is worth is by the price of the last run that judged its place.
select b.id as break_id, b.class || case when b.stuck then '_STUCK' else '' end as class, b.leg, b.account, b.instrument,
    b.state, b.quantity, b.cash, round(b.quantity * l.price, 2)             as value_usd,
    b.first_seen, b.changed_at, b.deadline, b.acknowledged_until, b.detail, array_to_string(b.refs, ', ') as evidence
from recon_break b
left join lateral (
    select price from recon_leg
    where leg = b.leg and account = b.account and instrument = b.instrument
    order by run_id desc limit 1
) l on true
where case when $1::bigint is null then b.state not in ('RESOLVED', 'WRITTEN_OFF') else b.id = $1 end
    and ($2::text is null or b.instrument = $2)
order by b.state = 'EXPLAINED', b.first_seen, b.id
limit $3::bigint
