-- One row a log of the chain that the books do not have as canonical.
select '0x' || encode(incoming.tx_hash, 'hex') as tx_hash, incoming.log_index, incoming.block_number, incoming.block_hash
from incoming_log incoming
left join chain_log known using (chain_id, block_hash, log_index)
where known.chain_id is null or known.taken_by is not null
order by incoming.block_number, incoming.log_index
