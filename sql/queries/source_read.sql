-- One row: the source of this name, and whether it is what the configuration says.
select id,
       chain_id = $2 and kind = $3 and address = $4 as same_contract,
       owners @> $5 and owners <@ $5                as same_owners,
       from_block
from source
where name = $1
