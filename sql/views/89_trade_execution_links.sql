-- One row per fill and order that hedges it, under the name and with the columns of the earlier system.
create view reporting.trade_execution_links as
select
    c.chain_id || ':' || l.block_number || ':' || c.log_index || ':' || c.role as trade_id,
    c.order_id                                              as execution_id,
    c.quantity                                              as contributed_shares
from cover c
join chain_log l using (chain_id, block_hash, log_index)
where c.what = 'fill';

comment on view reporting.trade_execution_links is 'One row per fill and order that hedges it, as the earlier system''s table had it. What is new is in cover.';
comment on column reporting.trade_execution_links.trade_id is 'Id of the fill; id of onchain_trades.';
comment on column reporting.trade_execution_links.execution_id is 'Number of the order; id of offchain_trades.';
comment on column reporting.trade_execution_links.contributed_shares is 'So much of the fill the order is for, above zero. A quantity, not a part of anything.';
