-- One row per condition of a scope that is known; nobody else takes it up meanwhile.
select a.* from alert a where a.scope = $1 order by a.key for update
