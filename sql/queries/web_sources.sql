-- One row per source: how far it is written, and how well that is believed.
select c.*,
    (select sum(r.to_block - r.from_block + 1) from block_range r join source s on s.id = r.source_id
     where s.name = c.source and r.verdict = 'taken')                       as unproved_blocks,
    (select count(*) from reporting.skipped_log k where k.source = c.source and k.is_open) as skipped_logs
from reporting.cursor c
order by c.source
