-- One row per token that a trade of ours moved in a vault without being a fill, as the chain has it now.
create view reporting.skipped_move as
select
    k.id                                                    as skipped_id,
    m.chain_id,
    s.name                                                  as source,
    l.block_number,
    '0x' || encode(l.tx_hash, 'hex')                        as tx_hash,
    m.log_index,
    m.role,
    k.reason,
    m.direction,
    '0x' || encode(m.owner, 'hex')                          as owner,
    '0x' || encode(m.token, 'hex')                          as token_address,
    t.symbol                                                as token_symbol,
    '0x' || encode(m.vault_id, 'hex')                       as vault_id,
    m.amount                                                as token_quantity,
    m.amount_exact                                          as token_quantity_exact,
    l.block_time                                            as executed_at,
    (l.block_time at time zone 'America/New_York')::date    as et_date,
    date_trunc('week', l.block_time at time zone 'America/New_York')::date as et_week,
    date_trunc('month', l.block_time at time zone 'America/New_York')::date as et_month
from skipped_move m
join skipped_log k using (chain_id, block_hash, log_index, role)
join chain_log l using (chain_id, block_hash, log_index)
join source s on s.id = l.source_id
left join token t on t.chain_id = m.chain_id and t.address = m.token
where l.taken_by is null
    and not exists (
        select from fill f
        where (f.chain_id, f.block_hash, f.log_index, f.role) = (m.chain_id, m.block_hash, m.log_index, m.role));

comment on view reporting.skipped_move is
    'One row per token that a trade of ours moved in a vault without being a fill, as the chain has it now. Vaults are expected to hold it; nothing of it is hedged.';
comment on column reporting.skipped_move.skipped_id is
    'Number of the skipped side, as in skipped_log.';
comment on column reporting.skipped_move.chain_id is
    'Number of the chain, as in EIP-155: 8453 is Base.';
comment on column reporting.skipped_move.source is
    'Name of the source in hedge.toml that the log was read for.';
comment on column reporting.skipped_move.block_number is
    'Number of the block that holds the log.';
comment on column reporting.skipped_move.tx_hash is
    'Hash of the transaction that emitted the log; 0x and 64 lower-case hex digits.';
comment on column reporting.skipped_move.log_index is
    'Place of the log in its block, counted from 0.';
comment on column reporting.skipped_move.role is
    'The side of the log that is ours: order, alice or bob.';
comment on column reporting.skipped_move.reason is
    'Why it is no fill: pair, zero, range, token or ratio.';
comment on column reporting.skipped_move.direction is
    'in: the vault received it. out: the vault gave it.';
comment on column reporting.skipped_move.owner is
    'Address of the owner of the vault, who is us; 0x and 40 lower-case hex digits.';
comment on column reporting.skipped_move.token_address is
    'Contract of the token moved; 0x and 40 lower-case hex digits.';
comment on column reporting.skipped_move.token_symbol is
    'What the token calls itself, such as wtAAPL or USDC. NULL while we have not asked it.';
comment on column reporting.skipped_move.vault_id is
    'The vault; 0x and 64 lower-case hex digits.';
comment on column reporting.skipped_move.token_quantity is
    'Whole tokens that the vault gained, cut toward zero to 18 decimals. What it gave is negative.';
comment on column reporting.skipped_move.token_quantity_exact is
    'Whole tokens that the vault gained, to the last digit. What it gave is negative.';
comment on column reporting.skipped_move.executed_at is
    'Time of the block, UTC.';
comment on column reporting.skipped_move.et_date is
    'Date of executed_at in New York.';
comment on column reporting.skipped_move.et_week is
    'Monday of the week of et_date.';
comment on column reporting.skipped_move.et_month is
    'First day of the month of et_date.';
