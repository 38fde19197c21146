-- One row a log that stands in the books with other content than it has now.
select '0x' || encode(incoming.tx_hash, 'hex') as tx_hash, incoming.log_index, incoming.block_number
from incoming_log incoming
join chain_log known using (chain_id, block_hash, log_index)
where (known.tx_hash, known.source_id, known.topics, known.data)
      is distinct from (incoming.tx_hash, incoming.source_id, incoming.topics, incoming.data)
limit 1
