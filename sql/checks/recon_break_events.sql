-- One row per break that is not what its last event left, or that nothing ever happened to.
select b.id, b.state, e.state as last_state, b.quantity, e.quantity as last_quantity
from recon_break b
left join lateral (
    select state, quantity from recon_break_event where break_id = b.id order by id desc limit 1
) e on true
where (b.state, b.quantity) is distinct from (e.state, e.quantity)
