-- One row per height at which canonical logs of ours lie in more than one block:
-- all but one of these are orphans that nobody marked.
select
    chain_id,
    block_number,
    array_agg(distinct '0x' || encode(block_hash, 'hex')) as block_hashes
from chain_log
where taken_by is null
group by chain_id, block_number
having count(distinct block_hash) > 1
order by chain_id, block_number;
