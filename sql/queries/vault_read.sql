-- One row per vault of a source that is known.
select owner, token, vault_id, found_by, block_number
from vault
where source_id = $1
order by owner, token, vault_id
