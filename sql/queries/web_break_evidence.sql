-- One row per explanation of the last run that judged a break's place, and of every run before it that had some; newest first.
select r.business_date, r.finished_at, x.class, x.amount, x.detail, array_to_string(x.refs, ', ') as evidence, x.deadline
from recon_break b
join recon_explanation x on (x.leg, x.account, x.instrument) = (b.leg, b.account, b.instrument)
join recon_run r on r.id = x.run_id
where b.id = $1
order by x.run_id desc, x.pass, x.place
limit 50
