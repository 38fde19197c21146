-- One row: whether no order is on its way, and every exposure of a share is less than one.
select not exists (select from hedge_order where state <> 'closed')
   and not exists (select from reporting.position_now where abs(exposure) >= 1) as calm
