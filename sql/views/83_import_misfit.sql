-- One row per row of the earlier system's database that did not fit.
create view reporting.import_misfit as
select
    i.file,
    m.place,
    m.table_name,
    m.row_number,
    m.column_name,
    m.value,
    m.why,
    i.author,
    i.imported_at
from imported_misfit m
join import i on i.id = m.import_id;

comment on view reporting.import_misfit is
    'One row per row of the earlier system''s database that did not fit and was left out, and why.';
comment on column reporting.import_misfit.file is 'The file.';
comment on column reporting.import_misfit.place is 'Its place among those of the file, in the order of reading, from 1.';
comment on column reporting.import_misfit.table_name is 'The table there.';
comment on column reporting.import_misfit.row_number is 'The number of the row there: its rowid.';
comment on column reporting.import_misfit.column_name is 'The column that does not fit.';
comment on column reporting.import_misfit.value is 'What stands in it, cut to 100 characters.';
comment on column reporting.import_misfit.why is 'Why it does not fit.';
comment on column reporting.import_misfit.author is 'Who imported the file.';
comment on column reporting.import_misfit.imported_at is 'When that was, UTC.';
