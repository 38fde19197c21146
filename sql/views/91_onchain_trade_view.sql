-- One row per fill as one document, under the name that the earlier system had it.
create view reporting.onchain_trade_view as
select t.id as view_id, to_jsonb(t) as payload, t.tx_hash, t.log_index, t.symbol, t.amount, t.direction, t.price_usdc,
    t.block_timestamp
from reporting.onchain_trades t;

comment on view reporting.onchain_trade_view is 'One row per fill as one document and as columns, as the earlier system''s view had it. What is new is in fill.';
comment on column reporting.onchain_trade_view.view_id is 'Id of the fill; id of onchain_trades.';
comment on column reporting.onchain_trade_view.payload is 'The whole row of onchain_trades as JSON; numbers are exact.';
comment on column reporting.onchain_trade_view.tx_hash is 'Transaction; 0x and 64 lower-case hex digits.';
comment on column reporting.onchain_trade_view.log_index is 'Place of the log in its block.';
comment on column reporting.onchain_trade_view.symbol is 'What the token calls itself, such as wtAAPL.';
comment on column reporting.onchain_trade_view.amount is 'Whole tokens traded, above zero.';
comment on column reporting.onchain_trade_view.direction is 'BUY or SELL: what we did on chain.';
comment on column reporting.onchain_trade_view.price_usdc is 'USDC per whole token.';
comment on column reporting.onchain_trade_view.block_timestamp is 'Time of the block, UTC.';
