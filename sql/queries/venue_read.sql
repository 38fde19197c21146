-- One row: what is known of a venue. Nothing of ours happened there before hedging began.
select account, coalesce(scanned_to, (select min(happened_at) from go_live)) as scanned_to from venue where id = $1
