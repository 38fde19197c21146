-- No row: the first block that a source is read from.
update source set from_block = $2 where id = $1
