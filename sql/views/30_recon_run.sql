-- One row per reconciliation: what it came to.
create view reporting.recon_run as
select
    r.id                                                    as run_id,
    r.business_date,
    r.attempt,
    not exists (select from recon_run later where later.supersedes = r.id) as is_newest,
    r.status,
    r.open_breaks,
    r.unexplained                                           as unexplained_legs,
    (select count(*) from recon_leg l where l.run_id = r.id) as judged_legs,
    (select round(coalesce(sum(abs(l.unexplained) * l.price), 0), 2) from recon_leg l where l.run_id = r.id)::numeric(20,2) as unexplained_usd,
    (select string_agg(c.source || ': ' || c.why, '; ' order by c.source) from recon_cut c where c.run_id = r.id and c.why is not null) as not_judged,
    r.passes,
    r.started_at,
    r.finished_at,
    encode(r.input_digest, 'hex')                           as input_digest,
    encode(r.output_digest, 'hex')                          as output_digest,
    r.code_version,
    r.said,
    r.business_date as et_date,
    date_trunc('week', r.business_date::timestamp)::date as et_week,
    date_trunc('month', r.business_date::timestamp)::date as et_month
from recon_run r;

comment on view reporting.recon_run is
    'One row per reconciliation of a business date, attempts that were superseded among them. Never edited.';
comment on column reporting.recon_run.run_id is 'Number of the run; `hedge recon replay --run` judges it again.';
comment on column reporting.recon_run.business_date is 'The date in New York that it is about.';
comment on column reporting.recon_run.attempt is 'Which attempt of that date, from 1.';
comment on column reporting.recon_run.is_newest is 'Whether no later attempt of the date stands in its place.';
comment on column reporting.recon_run.status is
    'COMPLETE: all was judged. INCOMPLETE: a source did not answer whole. FAILED: the books contradict themselves, nothing was judged.';
comment on column reporting.recon_run.open_breaks is 'Breaks that needed somebody when it ended.';
comment on column reporting.recon_run.unexplained_legs is 'Balances with a difference that no evidence explains.';
comment on column reporting.recon_run.judged_legs is 'Balances that were held against the books.';
comment on column reporting.recon_run.unexplained_usd is
    'Sum of what no evidence explains, without signs, at the marks of the run, in dollars with 2 decimals.';
comment on column reporting.recon_run.not_judged is 'Sources that did not answer whole, and why. NULL: all did.';
comment on column reporting.recon_run.passes is
    'How often it judged: once more where facts that the ledger lacked were taken up between.';
comment on column reporting.recon_run.started_at is 'When the first source was asked, UTC.';
comment on column reporting.recon_run.finished_at is 'When it judged, UTC.';
comment on column reporting.recon_run.input_digest is 'Keccak-256 of all that was looked at, in hex. NULL where nothing was.';
comment on column reporting.recon_run.output_digest is
    'Keccak-256 of what it came to, in hex: equal inputs come to an equal one. NULL where the books contradict themselves.';
comment on column reporting.recon_run.code_version is 'Version of hedge that judged.';
comment on column reporting.recon_run.said is 'What it came to, in a sentence.';
comment on column reporting.recon_run.et_date is 'Day in New York that it is about.';
comment on column reporting.recon_run.et_week is 'Monday of the week of et_date.';
comment on column reporting.recon_run.et_month is 'First day of the month of et_date.';
