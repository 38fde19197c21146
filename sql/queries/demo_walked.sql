-- One row, if any: a fill that one order hedged, whose answer was not lost, the newest first.
select c.order_id, c.block_number, f.side, f.quantity, f.symbol, round(f.price_per_underlying, 2) as price, f.executed_at
from reporting.cover c
join reporting.fill f using (source, tx_hash, log_index, role)
join reporting.hedge_order o using (order_id)
where o.why = 'filled'
  and not exists (select from order_event e where e.order_id = c.order_id and e.event = 'unanswered')
order by c.order_id desc, c.place
limit 1
