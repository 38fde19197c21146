-- One row per place with something unexplained in the newest run of a date, of which no break was ever opened.
select l.run_id, l.leg, l.account, l.instrument, l.unexplained
from recon_leg l
where l.unexplained <> 0
    and not exists (
        select from recon_break b
        where b.class = 'UNEXPLAINED' and (b.leg, b.account, b.instrument) = (l.leg, l.account, l.instrument))
