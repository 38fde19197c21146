-- One row where a file was imported before.
select author, imported_at from import where digest = $1
