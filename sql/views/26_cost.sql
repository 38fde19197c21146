-- One row per cost or income that is no trade: it stands beside P&L, and is never in it.
create view reporting.cost as
select
    c.kind                            as kind,
    c.kind in ('dividend', 'nav accrual', 'rebate', 'interest earned') as is_income,
    c.occurred_at                     as executed_at,
    ((c.occurred_at) at time zone 'America/New_York')::date as et_date,
    date_trunc('week', (c.occurred_at) at time zone 'America/New_York')::date as et_week,
    date_trunc('month', (c.occurred_at) at time zone 'America/New_York')::date as et_month,
    -- Looked up row by row: where it is filtered by, those rows are few beside all executions.
    coalesce(c.symbol, (select e.symbol from execution e where (e.venue_id, e.execution_id) = (c.venue_id, c.execution_id))) as symbol,
    v.name                            as venue,
    round(c.amount, 2)::numeric(20,2) as amount_usd,
    c.amount                          as amount_usd_exact,
    '0x' || encode(c.tx_hash, 'hex')  as tx_hash,
    (select e.id from execution e where (e.venue_id, e.execution_id) = (c.venue_id, c.execution_id)) as execution_number,
    c.valuation                       as valuation,
    c.flow_id                         as flow_id,
    (sign(c.amount) * g.eth)::numeric(38,18) as amount_eth_exact
from cash_flow c
left join venue v on v.id = c.venue_id
left join gas g on c.kind = 'gas' and g.tx_hash = c.tx_hash
    and starts_with(c.flow_id, format('gas/%s/0x%s/0x%s/', g.chain_id, encode(g.tx_hash, 'hex'), encode(g.block_hash, 'hex')))
where c.kind not in ('deposit', 'withdrawal')
union all
-- What one of ours paid, and nobody could say yet what ETH was worth.
select
    'gas', false, g.block_time,
    (g.block_time at time zone 'America/New_York')::date,
    date_trunc('week', g.block_time at time zone 'America/New_York')::date,
    date_trunc('month', g.block_time at time zone 'America/New_York')::date,
    null, null, null::numeric(20,2), null::numeric(38,18),
    '0x' || encode(g.tx_hash, 'hex'), null,
    'not known so far: ' || coalesce(
        (select w.missing from ether_price w
         where (w.chain_id, w.block_hash) = (g.chain_id, g.block_hash) order by w.asked_at desc limit 1), 'nobody was asked'),
    format('gas/%s/0x%s/0x%s/', g.chain_id, encode(g.tx_hash, 'hex'), encode(g.block_hash, 'hex')),
    (-g.eth)::numeric(38,18)
from gas g
join gas_payer p on (p.chain_id, p.address) = (g.chain_id, g.payer)
where g.eth > 0
    and exists (
        select from chain_log l
        where (l.chain_id, l.tx_hash, l.block_hash) = (g.chain_id, g.tx_hash, g.block_hash) and l.taken_by is null)
    and not exists (
        select from cash_flow c
        where c.tx_hash = g.tx_hash and c.kind = 'gas'
            and starts_with(c.flow_id, format('gas/%s/0x%s/0x%s/', g.chain_id, encode(g.tx_hash, 'hex'), encode(g.block_hash, 'hex'))));

comment on view reporting.cost is
    'One row per cost or income that is no trade: it stands beside P&L, and is never in it.';
comment on column reporting.cost.kind is 'What it is: a kind of cost (commission, regulatory, gas, tokenization, bridge, interest, other cost) or of income.';
comment on column reporting.cost.is_income is 'Whether it counts as income.';
comment on column reporting.cost.executed_at is 'When it happened, UTC.';
comment on column reporting.cost.et_date is 'Date of occurred_at in New York.';
comment on column reporting.cost.et_week is 'Monday of that week.';
comment on column reporting.cost.et_month is 'First day of that month.';
comment on column reporting.cost.symbol is 'Ticker of the share. NULL where it is of no one share, or of a transaction.';
comment on column reporting.cost.venue is 'Name of the broker''s venue in hedge.toml. NULL where it was not at a broker.';
comment on column reporting.cost.amount_usd is 'Dollars: what was paid is negative. NULL: gas, and what ETH was worth is not known so far. In dollars and cents, for display.';
comment on column reporting.cost.amount_usd_exact is 'Dollars: what was paid is negative. NULL: gas, and what ETH was worth is not known so far. To the last unit.';
comment on column reporting.cost.tx_hash is 'The transaction that it is for. NULL where it is for none.';
comment on column reporting.cost.execution_number is 'The execution that it is for. NULL where it is for none.';
comment on column reporting.cost.valuation is 'How it was made dollars, or why it is not yet. NULL: it was dollars.';
comment on column reporting.cost.flow_id is 'The source''s own name of it.';
comment on column reporting.cost.amount_eth_exact is 'Of gas that was read from a receipt, the same in ETH, to the last wei: what was paid is negative. NULL for all else.';
