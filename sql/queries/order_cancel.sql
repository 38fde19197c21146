-- No row: an order is to be cancelled.
update hedge_order set cancel_asked_at = coalesce(cancel_asked_at, $2) where id = $1 and state <> 'closed'
