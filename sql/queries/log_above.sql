-- One row: are there logs of the source above a height? Only a reorg leaves such.
select exists (select from chain_log where source_id = $1 and block_number > $2)
