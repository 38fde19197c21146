-- One row per halt that holds: a share, or (null) everything.
select h.symbol, h.reason, h.author, h.happened_at from halt h
where h.act = 'halt'
  and not exists (select from halt later where later.id > h.id and later.symbol is not distinct from h.symbol)
order by h.symbol nulls first
