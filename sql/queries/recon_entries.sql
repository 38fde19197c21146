-- One row per vault or wallet of a source that a person has made entries in: their sum up to a moment. An
-- opening stands in the place of all before it.
with entry as (
    select id, kind, leg, account, instrument, amount, as_of from account_entry
    where leg in ('vault', 'wallet') and split_part(account, '/', 1) = $1 and as_of <= $2
),
opened as (
    select distinct on (leg, account, instrument) id, leg, account, instrument, as_of from entry
    where kind = 'opening' order by leg, account, instrument, as_of desc, id desc
)
select e.leg, e.account, e.instrument, sum(e.amount)::numeric(38,18) as amount
from entry e
left join opened o using (leg, account, instrument)
where o.id is null or e.id = o.id or (e.kind <> 'opening' and e.as_of > o.as_of)
group by e.leg, e.account, e.instrument order by e.leg, e.account, e.instrument
