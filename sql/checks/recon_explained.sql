-- One row per balance of a run whose explained part is not the sum of its explanations.
select l.run_id, l.leg, l.account, l.instrument, l.explained, coalesce(e.amount, 0) as explanations
from recon_leg l
join recon_run r on r.id = l.run_id
left join (
    select run_id, pass, leg, account, instrument, sum(amount) as amount
    from recon_explanation group by run_id, pass, leg, account, instrument
) e on (e.run_id, e.pass, e.leg, e.account, e.instrument) = (r.id, r.passes, l.leg, l.account, l.instrument)
where l.explained <> coalesce(e.amount, 0)
