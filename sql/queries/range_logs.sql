-- One row: how many canonical logs the source has in a range.
select count(*) from chain_log where source_id = $1 and block_number between $2 and $3 and taken_by is null
