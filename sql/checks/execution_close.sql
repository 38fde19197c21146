-- One row per share whose sum of executions below the line is not what the executions say.
with summed as (
    select symbol, sum(quantity) as quantity
    from execution
    where order_id is not null and id <= coalesce((select closed_to from execution_line), 0)
    group by symbol
)
select symbol, c.quantity as closed, s.quantity as summed
from execution_close c
full join summed s using (symbol)
where c.quantity is distinct from s.quantity
