-- One row per trade of the earlier system that counts twice: in what was open when hedging
-- began, and as a fill since.
select s.name as source, l.block_number, '0x' || encode(l.tx_hash, 'hex') as tx_hash, l.log_index, t.symbol
from imported_trade t
join import i on i.id = t.import_id
join source s on true
join go_live g on g.source_id = s.id and g.happened_at > i.imported_at  -- what comes later opens nothing
join chain_log l
    on l.chain_id = s.chain_id and l.tx_hash = t.tx_hash and l.log_index = t.log_index
    and l.taken_by is null and l.source_id = s.id and l.block_number >= g.from_block
order by source, l.block_number, l.log_index
