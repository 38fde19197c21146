-- One row a break as its last event left it.
update recon_break set stuck = $2, state = $3, quantity = $4, cash = $5, deadline = $6, acknowledged_until = $7,
    first_seen = $8, changed_at = $9, refs = coalesce($10, refs), detail = coalesce($11, detail)
where id = $1
