-- One row per share: what is exposed now, of what that is made, and what is held back and why.
-- First, which fills count: those that were released of the sources that are hedged; until hedging
-- begins anywhere, of all, so that what would be done is said. With of_blocks the last so many
-- blocks, with unclosed what `fill_close` does not have. Planned for each range as it is: a plan
-- for any range would read all of history.
create function reporting.released_fills(of_blocks bigint, unclosed boolean)
returns table (chain_id bigint, block_hash bytea, log_index int, role text, block_number bigint, block_time timestamptz,
               symbol text, side text, quantity numeric, usdc numeric)
language plpgsql stable rows 1000
-- Who may read reporting may read through it what lies below.
security definer set search_path from current
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
declare
    range record;
begin
    for range in
        select r.source_id, r.to_block,
            greatest(case when unclosed then r.closed_to else r.from_block - 1 end, r.to_block - of_blocks) as after_block
        from release r
        where not exists (select from go_live) or r.source_id in (select source_id from go_live)
    loop
        return query
        select f.chain_id, f.block_hash, f.log_index, f.role, l.block_number, l.block_time,
            f.symbol, f.side, f.quantity, f.usdc
        from chain_log l
        join fill f on (f.chain_id, f.block_hash, f.log_index) = (l.chain_id, l.block_hash, l.log_index)
        where l.source_id = range.source_id and l.block_number > range.after_block
            and l.block_number <= range.to_block and l.taken_by is null;
    end loop;
end
$$;
comment on function reporting.released_fills is
    'The fills that count as exposure: of the last of_blocks blocks, or of all; with unclosed only those that fill_close does not have.';

create view reporting.position_now as
with part (symbol, stated, onchain, hedged, in_flight, last_fill) as (
    select symbol, quantity, 0::numeric, 0::numeric, 0::numeric, null::numeric[] from opening_position
    union all
    select symbol, quantity, 0, 0, 0, null from correction
    union all
    select symbol, 0, quantity, 0, 0, last_fill
    from fill_close
    where not exists (select from go_live) or source_id in (select source_id from go_live)
    union all
    select symbol, 0, case side when 'BUY' then quantity else -quantity end, 0, 0,
        case when quantity > 0 and usdc > 0 then
            array[extract(epoch from block_time), block_number, log_index, usdc, quantity]
        end
    from reporting.released_fills(null, true)
    union all
    select symbol, 0, 0, quantity, 0, null from execution_close
    union all
    -- Both ends are said, so that few are expected and the index is used.
    select symbol, 0, 0, quantity, 0, null from execution
    where order_id is not null
        and id > coalesce((select closed_to from execution_line), 0) and id <= (select max(id) from execution)
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
    round((stated + onchain + hedged + in_flight) * last_fill[4] / last_fill[5], 2)::numeric(20,2) as exposure_usd,
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
