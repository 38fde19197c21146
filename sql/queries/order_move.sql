-- No row: an order is in another state, if it was in the one it was thought to be in.
update hedge_order
set state = $3,
    why = $4,
    refusal = $5,
    cash = $6,
    held = case when $3 = 'sent' then $8 else held end,
    sent_at = case when $3 = 'planned' then null when $3 = 'sent' then coalesce(sent_at, $7) else sent_at end,
    accepted_at = case when $3 = 'working' then coalesce(accepted_at, $7) else accepted_at end,
    closed_at = case when $3 = 'closed' then $7 end
where id = $1 and state = $2
