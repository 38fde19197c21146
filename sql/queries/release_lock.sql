-- No row: until this transaction ends no fill of the source comes or goes unseen.
select from release where source_id = $1 for update
