-- One row per date: what nothing explained by the last reconciliation of it, in dollars.
select r.business_date as date, coalesce(sum(abs(l.unexplained) * l.price), 0)::numeric(38,18) as usd
from (
    select distinct on (business_date) id, business_date from recon_run
    where status <> 'FAILED' and business_date > $1::date - 45 order by business_date, attempt desc
) r left join recon_leg l on l.run_id = r.id
group by r.business_date order by r.business_date
