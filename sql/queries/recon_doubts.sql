-- One row where the newest count of P&L has its two ways of counting at odds: what it said.
select said from pnl_run where id = (select max(id) from pnl_run) and state = 'inconsistent'
