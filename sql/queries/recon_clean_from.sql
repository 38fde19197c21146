-- One row: the block of the last run in which every vault of a source was balanced.
select max(c.block_number) as block_number
from recon_cut c join recon_run r on r.id = c.run_id
where c.source = $1 and c.completeness = 'WHOLE' and r.status = 'COMPLETE'
    and not exists (
        select from recon_leg l where l.run_id = c.run_id and l.leg = 'vault' and l.residual <> 0
            and split_part(l.account, '/', 1) = c.source)
