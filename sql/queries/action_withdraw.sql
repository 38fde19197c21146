-- One row where it stood: a corporate action is called off.
update corporate_action set withdrawn_at = $2, withdrawn_why = $3
where action_id = $1 and withdrawn_at is null
returning action_id
