-- One row per share that anything is held of, or was.
select symbol from reporting.position_now
union
select symbol from execution
union
select symbol from activity where symbol is not null and quantity <> 0
order by symbol
