-- One row per share: what is exposed now, of what that is made, and what is held back and why.
create view reporting.position_now as
with counted as (
    -- Until hedging begins anywhere, everything that was released: what would be done is said.
    select source_id, closed_to, to_block
    from release
    where not exists (select from go_live) or source_id in (select source_id from go_live)
),
part (symbol, stated, onchain, hedged, in_flight, last_fill) as (
    select symbol, quantity, 0::numeric, 0::numeric, 0::numeric, null::numeric[] from opening_position
    union all
    select symbol, quantity, 0, 0, 0, null from correction
    union all
    select symbol, 0, quantity, 0, 0, last_fill from fill_close join counted using (source_id)
    union all
    select f.symbol, 0, case f.side when 'BUY' then f.quantity else -f.quantity end, 0, 0,
        case when f.quantity > 0 and f.usdc > 0 then
            array[extract(epoch from l.block_time), l.block_number, l.log_index, f.usdc, f.quantity]
        end
    from counted c
    join chain_log l on l.source_id = c.source_id and l.block_number > c.closed_to
        and l.block_number <= c.to_block and l.taken_by is null
    join fill f using (chain_id, block_hash, log_index)
    union all
    select symbol, 0, 0, sum(quantity), 0, null from execution where order_id is not null group by symbol
    union all
    select symbol, 0, 0, 0, case side when 'BUY' then 1 else -1 end * greatest(quantity - filled, 0), null
    from hedge_order where state in ('sent', 'working', 'ambiguous')
),
total as (
    select symbol, sum(stated) as stated, sum(onchain) as onchain, sum(hedged) as hedged,
        sum(in_flight) as in_flight, max(last_fill) as last_fill
    from part group by symbol
)
select
    symbol,
    stated + onchain + hedged + in_flight                   as exposure,
    stated + onchain + hedged                               as position,
    onchain,
    hedged,
    stated,
    in_flight,
    round(last_fill[4] / last_fill[5], 18)                  as last_fill_price,
    to_timestamp(last_fill[1]::bigint)                      as last_fill_at,
    round((stated + onchain + hedged + in_flight) * last_fill[4] / last_fill[5], 2) as exposure_usd,
    h.reason                                                as hold,
    h.detail                                                as hold_detail,
    h.since                                                 as hold_since
from total
left join hold h using (symbol);

comment on view reporting.position_now is
    'One row per share: what is exposed now, of what that is made, and why nothing is done about it. Shares with no fact at all have no row.';
comment on column reporting.position_now.symbol is
    'Ticker of the share.';
comment on column reporting.position_now.exposure is
    'Not hedged and not being hedged, in underlying shares: position plus in_flight. Long is positive.';
comment on column reporting.position_now.position is
    'Held on chain and at brokers together since hedging began, in underlying shares: stated + onchain + hedged. Long is positive.';
comment on column reporting.position_now.onchain is
    'Sum of the released fills since hedging began, in underlying shares. Bought on chain is positive.';
comment on column reporting.position_now.hedged is
    'Sum of the executions of our orders, in shares. Bought is positive.';
comment on column reporting.position_now.stated is
    'Opening positions and corrections that a person stated, in shares. Long is positive.';
comment on column reporting.position_now.in_flight is
    'What live orders would still do, sent ones in full, in shares. A buy is positive.';
comment on column reporting.position_now.last_fill_price is
    'USDC per underlying share of the last released fill, rounded to 18 decimals. NULL when no fill has a price.';
comment on column reporting.position_now.last_fill_at is
    'Time of the block of that fill, UTC. NULL when no fill has a price.';
comment on column reporting.position_now.exposure_usd is
    'Exposure at last_fill_price, in dollars with 2 decimals. Long is positive. NULL when no fill has a price.';
comment on column reporting.position_now.hold is
    'Why nothing is done about the exposure, in a word or two. NULL when nothing is held back.';
comment on column reporting.position_now.hold_detail is
    'The same in a sentence with figures. NULL when nothing is held back.';
comment on column reporting.position_now.hold_since is
    'Since when it is held back for this reason, UTC. NULL when nothing is held back.';
