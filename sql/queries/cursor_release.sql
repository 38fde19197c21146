-- No row: a person rewound the source; it may go on, from before what it called final.
update cursor
set stopped_at = null, stopped_why = null,
    safe = least(safe, $2), finalized = least(finalized, $2)
where source_id = $1
