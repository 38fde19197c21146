-- One row: when the first of these parts of an exposure was traded: fills by block, log and role, executions by number.
select min(at) as oldest_at
from (
    select l.block_time as at
    from unnest($1::bytea[], $2::int[]) as w (block_hash, log_index)
    join chain_log l using (block_hash, log_index)
    union all
    select executed_at from execution where id = any ($3::bigint[])
) part
