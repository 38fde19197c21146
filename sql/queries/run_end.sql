-- No row: what a run came to.
update job_run set state = $2, finished_at = $3, said = $4 where id = $1
