-- One row per vault or wallet of a source that a person has made entries in: their sum up to a moment.
select leg, account, instrument, sum(amount)::numeric(38,18) as amount
from account_entry
where leg in ('vault', 'wallet') and split_part(account, '/', 1) = $1 and as_of <= $2
group by leg, account, instrument order by leg, account, instrument
