-- What trades of ours moved in vaults without being fills: read again from the kept logs, once a log is final.

-- One row per token that a skipped trade moved: into a vault of ours, or out of one.
create table skipped_move (
    chain_id       bigint         not null,
    block_hash     bytea          not null,
    log_index      int            not null,
    role           text           not null,       -- the side of the log, as in skipped_log
    direction      text           not null,
    owner          bytea          not null,
    token          bytea          not null,
    vault_id       bytea          not null,
    amount         numeric(38,18) generated always as (trunc(amount_exact, 18)) stored,
    amount_exact   numeric        not null,       -- whole tokens, signed: what the vault gained
    read_at        timestamptz    not null default now(),
    primary key (chain_id, block_hash, log_index, role, direction),
    constraint a_skipped_move_is_of_a_skipped_side foreign key (chain_id, block_hash, log_index, role)
        references skipped_log (chain_id, block_hash, log_index, role),
    constraint skipped_move_goes_in_or_out check (
        case direction when 'in' then amount_exact >= 0 when 'out' then amount_exact <= 0 else false end),
    constraint skipped_move_addresses check (
        octet_length(owner) = 20 and octet_length(token) = 20 and octet_length(vault_id) = 32)
);
create trigger facts_are_never_edited before update or delete or truncate on skipped_move
    for each statement execute function facts_are_never_edited();
