-- One row per fill whose log the chain, an operator or the auditor took back.
create view reporting.orphaned_fill as
select
    f.chain_id,
    s.name                                                  as source,
    l.block_number,
    '0x' || encode(f.block_hash, 'hex')                     as block_hash,
    '0x' || encode(l.tx_hash, 'hex')                        as tx_hash,
    f.log_index,
    f.role,
    f.side,
    '0x' || encode(f.owner, 'hex')                          as owner,
    f.symbol,
    '0x' || encode(f.token, 'hex')                          as token_address,
    f.token_quantity,
    f.token_quantity_exact,
    f.wrapper_ratio,
    f.quantity,
    round(f.usdc, 2)::numeric(20,2)                         as cash_usd,
    f.usdc,
    f.usdc_exact,
    f.price,
    case when f.quantity > 0
        then round(f.usdc_exact / (f.token_quantity_exact * f.wrapper_ratio), 18)
    end                                                     as price_per_underlying,
    '0x' || encode(f.vault_in, 'hex')                       as vault_in,
    '0x' || encode(f.vault_out, 'hex')                      as vault_out,
    l.block_time                                            as executed_at,
    (l.block_time at time zone 'America/New_York')::date    as et_date,
    date_trunc('week', l.block_time at time zone 'America/New_York')::date as et_week,
    date_trunc('month', l.block_time at time zone 'America/New_York')::date as et_month,
    r.id                                                    as reorg_id,
    r.happened_at                                           as taken_at,
    r.cause,
    r.fork_number,
    r.depth
from fill f
join chain_log l using (chain_id, block_hash, log_index)
join source s on s.id = l.source_id
join reorg r on r.id = l.taken_by
-- Few were taken, and this says so.
where l.taken_by is not null;

comment on view reporting.orphaned_fill is
    'One row per fill that was taken back and is kept on record. It counts for nothing; if the trade was mined again, its new row is in fill.';
comment on column reporting.orphaned_fill.chain_id is
    'Number of the chain, as in EIP-155: 8453 is Base.';
comment on column reporting.orphaned_fill.source is
    'Name of the source in hedge.toml that the log was read for.';
comment on column reporting.orphaned_fill.block_number is
    'Number of the block that holds the log.';
comment on column reporting.orphaned_fill.block_hash is
    'Hash of the block that holds the log; 0x and 64 lower-case hex digits.';
comment on column reporting.orphaned_fill.tx_hash is
    'Hash of the transaction that emitted the log; 0x and 64 lower-case hex digits.';
comment on column reporting.orphaned_fill.log_index is
    'Place of the log in its block, counted from 0.';
comment on column reporting.orphaned_fill.role is
    'Our part in the trade: order (ours was taken), alice or bob (our side of a clear), inventory (an operator moved tokens).';
comment on column reporting.orphaned_fill.side is
    'What the owner did with the token: BUY or SELL. Quantities carry no sign.';
comment on column reporting.orphaned_fill.owner is
    'Address of the owner, who is us; 0x and 40 lower-case hex digits.';
comment on column reporting.orphaned_fill.symbol is
    'Ticker of the equity that the token stands for, such as AAPL.';
comment on column reporting.orphaned_fill.token_address is
    'Contract of the token traded, wrapped or not; 0x and 40 lower-case hex digits.';
comment on column reporting.orphaned_fill.token_quantity is
    'Whole tokens traded, never negative, cut toward zero to 18 decimals.';
comment on column reporting.orphaned_fill.token_quantity_exact is
    'Whole tokens traded as the chain holds them, to the last digit.';
comment on column reporting.orphaned_fill.wrapper_ratio is
    'Underlying of one whole token at the fill''s block; 1 where the token is not wrapped.';
comment on column reporting.orphaned_fill.quantity is
    'Underlying to be hedged: token_quantity times wrapper_ratio, never negative, cut toward zero to 18 decimals; side gives the direction.';
comment on column reporting.orphaned_fill.cash_usd is
    'The same as usdc, to the cent; one USDC counts as a dollar.';
comment on column reporting.orphaned_fill.usdc is
    'USDC paid (BUY) or received (SELL), never negative, cut toward zero to 6 decimals.';
comment on column reporting.orphaned_fill.usdc_exact is
    'USDC paid or received as the chain holds it, to the last digit.';
comment on column reporting.orphaned_fill.price is
    'USDC per whole token as traded, rounded half to even to 18 decimals.';
comment on column reporting.orphaned_fill.price_per_underlying is
    'USDC per unit of the underlying, rounded to 18 decimals. NULL when quantity is 0.';
comment on column reporting.orphaned_fill.vault_in is
    'Vault that received; 0x and 64 lower-case hex digits. NULL when the log names none.';
comment on column reporting.orphaned_fill.vault_out is
    'Vault that paid; 0x and 64 lower-case hex digits. NULL when the log names none.';
comment on column reporting.orphaned_fill.executed_at is
    'Time of the block, UTC.';
comment on column reporting.orphaned_fill.et_date is
    'Date of executed_at in New York.';
comment on column reporting.orphaned_fill.et_week is
    'Monday of the week of et_date.';
comment on column reporting.orphaned_fill.et_month is
    'First day of the month of et_date.';
comment on column reporting.orphaned_fill.reorg_id is
    'The change of mind that took it; reorg_id of reporting.reorg.';
comment on column reporting.orphaned_fill.taken_at is
    'Time at which we took it back, UTC.';
comment on column reporting.orphaned_fill.cause is
    'Who changed their mind: chain (a reorganisation), operator (a rewind) or audit (a log that the chain does not have).';
comment on column reporting.orphaned_fill.fork_number is
    'Number of the last block that both histories share.';
comment on column reporting.orphaned_fill.depth is
    'Blocks taken back with it.';
