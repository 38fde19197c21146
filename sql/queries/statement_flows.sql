-- One row per share and kind of cost or income, of a date or of all up to it.
select coalesce(c.symbol, e.symbol, f.symbol, '') as symbol, c.kind, sum(c.amount) as amount
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
    and ($2::boolean or c.occurred_at >= $1::text::date::timestamp at time zone 'America/New_York')
group by 1, 2
