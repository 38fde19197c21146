-- One row per source that is hedged.
select s.name, g.from_block, g.reason, g.author, g.happened_at from go_live g join source s on s.id = g.source_id order by s.name
