-- One row: which attempt of a date this is, and the run that it stands in the place of.
select count(*)::int + 1 as attempt, max(id) as supersedes from recon_run where business_date = $1::date
