-- One row: the number of an order that is planned now. None where it is a hedge and the share has
-- another order by now, or is halted.
insert into hedge_order (venue_id, client_order_id, purpose, symbol, side, quantity, terms, limit_price,
    exposure, reference_price, reference_source, reference_at, reason, author, fence, planned_at)
select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16
where $3 <> 'hedge' or not exists (
    select from hedge_order where symbol = $4 and (id > $17 or state <> 'closed')
    union all
    select from halt h where (h.symbol = $4 or h.symbol is null) and h.act = 'halt'
        and not exists (select from halt later where later.id > h.id and later.symbol is not distinct from h.symbol))
on conflict do nothing
returning id
