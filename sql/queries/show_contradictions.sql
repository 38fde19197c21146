-- One row per time two answers about one block could not both be true, newest first.
select *
from reporting.node_contradiction
where ($1::text is null or source = $1)
order by contradiction_id desc
limit $2::bigint
