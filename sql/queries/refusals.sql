-- One row per share whose last hedges were refused: how often in a row, and why last.
select symbol, count(*) as times, max(closed_at) as at,
    (array_agg(refusal order by id desc))[1] as refusal,
    (array_agg(cash order by id desc))[1] as cash
from hedge_order o
where purpose = 'hedge' and why = 'refused' and closed_at > $1
  and not exists (
    select from hedge_order later
    where later.symbol = o.symbol and later.purpose = 'hedge' and later.id > o.id and later.why is distinct from 'refused'
      and later.why is distinct from 'never placed' and later.state = 'closed')
group by symbol
