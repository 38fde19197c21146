-- One row a block behind the cursor that we hold the header of, newest first, along its parents.
with recursive back as (
    select hash, number, parent_hash from chain_block where chain_id = $1 and hash = $2
    union all
    select parent.hash, parent.number, parent.parent_hash
    from back
    join chain_block parent on parent.chain_id = $1 and parent.hash = back.parent_hash
)
select number, hash, parent_hash from back limit 2048
