-- One row per share of a source whose sum of closed fills is not what the fills say.
with summed as (
    select l.source_id, f.symbol, sum(case f.side when 'BUY' then f.quantity else -f.quantity end) as quantity
    from release r
    join chain_log l on l.source_id = r.source_id and l.block_number between r.from_block and r.closed_to
        and l.taken_by is null
    join fill f using (chain_id, block_hash, log_index)
    group by l.source_id, f.symbol
)
select source_id, symbol, c.quantity as closed, s.quantity as summed
from fill_close c
full join summed s using (source_id, symbol)
where c.quantity is distinct from s.quantity
