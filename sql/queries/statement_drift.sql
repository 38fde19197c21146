-- One row per place that held something else than the books said, in the last reconciliation of a date that judged;
-- what matters most comes first.
select l.leg, l.instrument, l.residual, l.unexplained,
    round(l.unexplained * case when l.instrument in ('USD', 'USDC') then 1 else l.price end, 18)::numeric(38,18) as value
from recon_leg l
where l.residual <> 0
    and l.run_id = (
        select id from recon_run
        where business_date = $1::text::date and status <> 'FAILED'
        order by attempt desc limit 1)
order by abs(l.unexplained) * coalesce(l.price, 1) desc, l.leg, l.account, l.instrument
