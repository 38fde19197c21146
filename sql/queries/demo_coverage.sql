-- How we know that nothing is missing. An auditor reads again in the background and proves what was taken.
select verdict, sum(blocks)::bigint as blocks, sum(logs)::bigint as logs_of_ours,
       sum(foreign_logs)::bigint as logs_of_others
from reporting.block_range
group by verdict, verdict_rank
order by verdict_rank
