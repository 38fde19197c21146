-- One row: whether who asks may change the tables, and who that is.
select has_schema_privilege('public', 'create') as may, current_user::text as role
