-- One row per broker of a run: from when on its trades and activities were asked for.
select source, asked_since from recon_cut where run_id = $1 and asked_since is not null order by source
