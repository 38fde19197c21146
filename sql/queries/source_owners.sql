-- No row: the owners that a source is read for from now on.
update source set owners = $2 where id = $1
