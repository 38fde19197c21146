-- One row: the newest moment at which a source was read whole.
select max(as_of) from recon_cut where source = $1 and completeness = 'WHOLE'
