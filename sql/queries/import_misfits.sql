-- No row: what did not fit is written.
insert into imported_misfit (import_id, place, table_name, row_number, column_name, value, why)
select $1, g.place, g.table_name, g.row_number, g.column_name, g.value, g.why
from unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[])
     with ordinality as g (table_name, row_number, column_name, value, why, place)
