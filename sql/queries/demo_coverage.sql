-- How we know that nothing is missing. An auditor goes on proving what was only taken.
select verdict, sum(blocks)::bigint as blocks, sum(logs)::bigint as logs_of_ours,
       sum(foreign_logs)::bigint as logs_of_others
from reporting.block_range
group by verdict, verdict_rank
order by verdict_rank
