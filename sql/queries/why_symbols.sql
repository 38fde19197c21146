-- One row per share of which anything is known.
select symbol from reporting.position_now order by symbol
