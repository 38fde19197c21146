-- One row per column of the views that have a date: what may be exported, day by day.
select
    c.relname::text                                      as view_name,
    a.attname::text                                      as column_name,
    format_type(a.atttypid, a.atttypmod)                 as type_name,
    coalesce(obj_description(c.oid, 'pg_class'), '')     as view_about,
    coalesce(col_description(c.oid, a.attnum), '')       as column_about
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'reporting'::regnamespace
    and c.relkind in ('v', 'm')
    and exists (select from pg_attribute d
                where d.attrelid = c.oid and d.attname = 'et_date' and d.atttypid = 'date'::regtype)
order by c.relname, a.attnum
