-- One row per fill, under the name and with the columns of the earlier system.
create view reporting.onchain_trades as
select
    f.chain_id || ':' || l.block_number || ':' || f.log_index || ':' || f.role as id,
    '0x' || encode(l.tx_hash, 'hex')                        as tx_hash,
    f.log_index,
    coalesce(t.symbol, f.symbol)                            as symbol,
    f.token_quantity                                        as amount,
    f.side                                                  as direction,
    f.price                                                 as price_usdc,
    l.written_at                                            as created_at,
    l.block_time                                            as block_timestamp,
    null::bigint                                            as gas_used,
    null::bigint                                            as effective_gas_price,
    p.price                                                 as pyth_price,
    p.confidence                                            as pyth_confidence,
    case when p.price is not null then 0 end                as pyth_exponent,
    p.published_at                                          as pyth_publish_time
from fill f
join chain_log l using (chain_id, block_hash, log_index)
left join token t on (t.chain_id, t.address) = (f.chain_id, f.token)
left join lateral (
    select o.price, o.confidence, o.published_at from oracle_price o
    where (o.chain_id, o.block_hash, o.log_index) = (f.chain_id, f.block_hash, f.log_index)
    order by o.feed limit 1
) p on true
where l.taken_by is null and f.quantity > 0 and f.usdc > 0;

comment on view reporting.onchain_trades is 'One row per fill with a price, as the earlier system''s table had it. What is new is in fill.';
comment on column reporting.onchain_trades.id is 'Id of the fill, chain:block:log:role; trade_id of metrics_pnl. It was a number there.';
comment on column reporting.onchain_trades.tx_hash is 'Transaction; 0x and 64 lower-case hex digits.';
comment on column reporting.onchain_trades.log_index is 'Place of the log in its block.';
comment on column reporting.onchain_trades.symbol is 'What the token calls itself, such as wtAAPL; the ticker where it was not asked.';
comment on column reporting.onchain_trades.amount is 'Whole tokens traded, above zero; of a wrapped token in its own units.';
comment on column reporting.onchain_trades.direction is 'BUY or SELL: what we did on chain.';
comment on column reporting.onchain_trades.price_usdc is 'USDC per whole token.';
comment on column reporting.onchain_trades.created_at is 'When it was written here, UTC. NULL: before that was noted.';
comment on column reporting.onchain_trades.block_timestamp is 'Time of the block, UTC.';
comment on column reporting.onchain_trades.gas_used is 'Always NULL: what gas cost is in cost, in dollars.';
comment on column reporting.onchain_trades.effective_gas_price is 'Always NULL: what gas cost is in cost, in dollars.';
comment on column reporting.onchain_trades.pyth_price is 'Dollars that the oracle said at the fill; pyth_exponent is done already. NULL where there is none.';
comment on column reporting.onchain_trades.pyth_confidence is 'Dollars by which the oracle may be wrong. NULL where there is none.';
comment on column reporting.onchain_trades.pyth_exponent is '0: pyth_price is in dollars. NULL where there is no price.';
comment on column reporting.onchain_trades.pyth_publish_time is 'When the oracle said so, UTC. NULL where it did not.';
