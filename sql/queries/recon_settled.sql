-- One row per piece of evidence that the books have taken up already.
select unnest(refs) as ref from account_entry
union
select 'activity/' || flow_id from cash_flow where occurred_at > $1
