-- One row: the source of this name, and whether it is what the configuration says.
select id,
       chain_id = $2 and kind = $3 and address = $4 and from_block = $6 as same_place,
       owners @> $5 and owners <@ $5                                    as same_owners,
       from_block
from source
where name = $1
