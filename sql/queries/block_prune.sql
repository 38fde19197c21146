-- No row: headers so far below finality that no reorg can ask for them.
delete from chain_block
where chain_id = $1
  and number < (select min(least(number, coalesce(finalized, number - 64))) - 256
                from cursor join source on source.id = cursor.source_id
                where source.chain_id = $1)
