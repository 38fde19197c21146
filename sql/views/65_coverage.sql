-- One row per thing that the books rest on, and how much of it is there.
create view reporting.coverage as
with blocks as (
    select s.name, s.chain_id, c.number - s.from_block + 1 as total,
        coalesce(sum(b.to_block - b.from_block + 1), 0) as read,
        coalesce(sum(b.to_block - b.from_block + 1) filter (where b.verdict <> 'taken'), 0) as believed,
        min(b.read_at) filter (where b.verdict = 'taken') as oldest
    from source s
    join cursor c on c.source_id = s.id
    left join block_range b on b.source_id = s.id
    group by s.id, c.number
),
told as (
    select 'blocks read' as what, name, total::bigint as total, read::bigint as covered, null::timestamptz as missing_since from blocks
    union all
    select 'blocks believed', name, total::bigint, believed::bigint, oldest from blocks
    union all
    select 'logs understood', s.name,
        (select count(*) from skipped_log k join chain_log l using (chain_id, block_hash, log_index)
         where l.source_id = s.id and l.taken_by is null),
        (select count(*) from skipped_log k join chain_log l using (chain_id, block_hash, log_index)
         where l.source_id = s.id and l.taken_by is null
            and exists (select from skipped_log_act a where a.skipped_id = k.id)),
        (select min(k.skipped_at) from skipped_log k join chain_log l using (chain_id, block_hash, log_index)
         where l.source_id = s.id and l.taken_by is null
            and not exists (select from skipped_log_act a where a.skipped_id = k.id))
    from source s
    union all
    select 'executions ordered here', v.name, count(e.id), count(e.order_id), min(e.booked_at) filter (where e.order_id is null)
    from venue v
    left join execution e on e.venue_id = v.id and e.executed_at >= now() - interval '31 days'
    group by v.id
)
select what, name, total, covered, total - covered as missing,
    round(covered::numeric / nullif(total, 0), 6)           as covered_part,
    missing_since
from told;

comment on view reporting.coverage is
    'One row per thing that the books rest on, and how much of it is there. Where something is missing, what is built on it is an upper or a lower bound.';
comment on column reporting.coverage.what is 'blocks read; blocks believed: by more than a node''s word; logs understood: of those that gave no fill, how many somebody settled; executions ordered here, of the last 31 days.';
comment on column reporting.coverage.name is 'Of what: a source, or a venue.';
comment on column reporting.coverage.total is 'How many there are: blocks from the source''s first to its cursor, logs, executions.';
comment on column reporting.coverage.covered is 'How many of them are covered.';
comment on column reporting.coverage.missing is 'How many are not.';
comment on column reporting.coverage.covered_part is 'covered as a part of total, from 0 to 1 (a fraction, not a percentage). NULL where there are none.';
comment on column reporting.coverage.missing_since is 'When the oldest of what is missing was read or booked, UTC. NULL where nothing is missing, or that is not known.';
