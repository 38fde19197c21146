-- One row per wrapper and two successive cuts between which its ratio changed, of which nothing is booked; with the
-- price that a share has at the end of the later cut's day. A cut that lies behind an earlier run's is passed over.
with cut as (
    select r.run_id, r.source, r.token, r.symbol, r.held, r.ratio, r.block_number, c.as_of,
        max(r.block_number) over (partition by r.source, r.token order by r.run_id
                                  rows between unbounded preceding and 1 preceding) as farthest
    from recon_ratio r
    join recon_cut c using (run_id, source)
),
pair as (
    select source, token, symbol, ratio as to_ratio, block_number as to_block, as_of,
        lag(held) over w as held, lag(ratio) over w as from_ratio, lag(block_number) over w as from_block,
        lag(as_of) over w as since
    from cut
    where farthest is null or block_number > farthest
    window w as (partition by source, token order by run_id)
)
select p.source, p.token, p.symbol, p.held, p.from_ratio, p.from_block, p.since, p.to_ratio, p.to_block, p.as_of,
    m.price, m.source as price_source, m.as_of as price_at
from pair p
left join lateral (
    select m.price, m.source, m.as_of
    from mark m
    where m.symbol = p.symbol
        and (m.as_of at time zone 'America/New_York')::date <= (p.as_of at time zone 'America/New_York')::date
    order by (m.as_of at time zone 'America/New_York')::date desc, (m.source = 'close') desc, m.as_of desc, m.id desc
    limit 1
) m on true
where p.from_ratio <> p.to_ratio
    and not exists (
        select from cash_flow c
        where c.flow_id = format('accrual/%s/0x%s/%s-%s', p.source, encode(p.token, 'hex'), p.from_block, p.to_block))
order by p.to_block, p.source, p.token
