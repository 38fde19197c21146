-- One row: the number of an import.
insert into import (digest, file, author, imported_at) values ($1, $2, $3, $4) returning id
