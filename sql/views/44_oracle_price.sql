-- One row per fill and price feed that was asked for.
create view reporting.oracle_price as
select
    x.chain_id,
    l.block_number                                          as block_number,
    '0x' || encode(x.block_hash, 'hex')                     as block_hash,
    x.log_index,
    '0x' || encode(l.tx_hash, 'hex')                        as tx_hash,
    '0x' || encode(x.feed, 'hex')                           as feed,
    x.method,
    x.price,
    x.confidence,
    x.published_at,
    x.missing,
    x.read_at
from oracle_price x
join chain_log l using (chain_id, block_hash, log_index);

comment on view reporting.oracle_price is
    'One row per log of a fill and its Pyth price feed: what the order saw while it was filled, or why that is not known.';
comment on column reporting.oracle_price.chain_id is 'Id of the chain.';
comment on column reporting.oracle_price.block_number is 'Block of the fill.';
comment on column reporting.oracle_price.block_hash is 'Hash of that block.';
comment on column reporting.oracle_price.log_index is 'Place of the log in its block.';
comment on column reporting.oracle_price.tx_hash is 'Transaction of the fill.';
comment on column reporting.oracle_price.feed is 'Id of the Pyth price feed, 32 bytes.';
comment on column reporting.oracle_price.method is 'trace: read from the transaction as it ran. end of block: what the feed said after it.';
comment on column reporting.oracle_price.price is 'Dollars for one underlying. NULL: there is none, and missing says why.';
comment on column reporting.oracle_price.confidence is 'Half width of the confidence interval of the feed, in dollars. NULL where there is no price.';
comment on column reporting.oracle_price.published_at is 'When the feed published it, UTC. NULL where there is no price.';
comment on column reporting.oracle_price.missing is 'Why there is no price. NULL where there is one.';
comment on column reporting.oracle_price.read_at is 'When it was read, UTC.';
