-- One row per share and kind of cost or income, of a date or of all up to it. A dividend that no
-- broker has booked yet is accrued on the day that it is paid: income of who is long at the end of
-- the record date, owed by who is short. Once a broker books it, that is what counts.
with flow as (
    select coalesce(c.symbol, e.symbol, f.symbol, '') as symbol, c.kind, c.amount,
        (c.occurred_at at time zone 'America/New_York')::date as et_date
    from cash_flow c
    left join execution e on (e.venue_id, e.execution_id) = (c.venue_id, c.execution_id)
    left join lateral (
        select min(f.symbol) as symbol
        from chain_log l
        join fill f on (f.chain_id, f.block_hash, f.log_index) = (l.chain_id, l.block_hash, l.log_index)
        where c.tx_hash is not null and l.tx_hash = c.tx_hash and l.chain_id in (select chain_id from source)
    ) f on true
    where c.kind not in ('deposit', 'withdrawal')
        and c.occurred_at < ($1::text::date + 1)::timestamp at time zone 'America/New_York'
    union all
    select a.symbol, 'dividend', round(d.closing_net * a.cash_per_share, 18), coalesce(a.payable_date, a.ex_date)
    from corporate_action a
    join lateral (
        select closing_net from pnl_day
        where symbol = a.symbol and et_date <= coalesce(a.record_date, a.ex_date - 1)
        order by et_date desc
        limit 1
    ) d on d.closing_net <> 0
    where a.kind = 'dividend' and a.withdrawn_at is null
        and not exists (
            select from cash_flow c
            where c.kind = 'dividend' and c.symbol = a.symbol
                and c.occurred_at >= a.ex_date::timestamp at time zone 'America/New_York'
                and c.occurred_at < (coalesce(a.payable_date, a.ex_date) + 11)::timestamp at time zone 'America/New_York')
)
select symbol, kind, sum(amount) as amount
from flow
where et_date = $1::text::date or ($2::boolean and et_date < $1::text::date)
group by symbol, kind
