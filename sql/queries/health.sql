-- One row per thing that is not as it should be. $1 now; then in seconds how long ago: $2 a head was
-- looked at, $3 an order went unanswered, $4 an exposure is held back, $5 a range lies unproved; $6 how
-- many trading days ahead must be known; $7 how long ago a message was written that is not sent.
select 'cursor/' || s.name as key, 'cursor behind' as class, 'chain' as leg, 'critical' as severity, null as symbol,
    s.name || ' has not been read for ' || date_trunc('second', $1 - c.looked_at) as about,
    'It stands at block ' || c.number || '; the last head that was seen is ' || coalesce(c.head::text, 'unknown') || '.' as detail,
    'see that `hedge run` runs and its node answers: hedge doctor' as next, c.looked_at as since
from cursor c join source s on s.id = c.source_id
where c.stopped_at is null and c.looked_at < $1 - make_interval(secs => $2)
union all
select 'source/' || s.name, 'source stopped', 'chain', 'critical', null,
    s.name || ' stands still', c.stopped_why || '.', 'hedge rewind --source ' || s.name || ' --to BLOCK --reason …', c.stopped_at
from cursor c join source s on s.id = c.source_id
where c.stopped_at is not null
union all
select 'order/' || id, case state when 'sent' then 'order unanswered' else 'order ambiguous' end, 'orders', 'critical', symbol,
    'order ' || id || ' to ' || side || ' ' || trim_scale(quantity) || ' ' || symbol || ' is ' || state,
    case state when 'sent' then 'Nobody knows yet whether the broker has it; it is looked for.'
        else 'The evidence contradicts itself; nothing more is done for ' || symbol || '.' end,
    case state when 'sent' then 'hedge why ' || symbol else 'look at the broker, then hedge adopt or hedge resolve ' || id end, sent_at
from hedge_order
where state = 'ambiguous' or (state = 'sent' and sent_at < $1 - make_interval(secs => $3))
union all
select 'hold/' || symbol, 'exposure held back', 'hedging', 'warning', symbol,
    symbol || ' is not hedged: ' || reason, detail, 'hedge why ' || symbol, since
from hold
where since < $1 - make_interval(secs => $4) and reason not in
    ('flat', 'below threshold', 'below lot', 'no threshold', 'not live', 'in flight', 'market closed', 'halted', 'ambiguous')
union all
select 'halt/' || coalesce(symbol, 'everything'), 'halted', 'hedging', 'info', symbol,
    coalesce(symbol, 'everything') || ' is halted', reason || ' (' || author || ')', 'hedge resume ' || coalesce(symbol || ' ', '') || '--reason …', happened_at
from (select distinct on (symbol) * from halt order by symbol, id desc) last_act
where act = 'halt'
union all
select 'skipped/' || source, 'logs skipped', 'chain', 'warning', null,
    count(*) || ' logs of ' || source || ' gave no fill', 'The reasons: ' || string_agg(distinct reason, ', ') || '.',
    'hedge show skipped; then hedge redrive or hedge accept', min(skipped_at)
from reporting.skipped_log
where is_open
group by source
union all
select 'unproved/' || s.name, 'history unproved', 'chain', 'info', null,
    sum(r.to_block - r.from_block + 1) || ' blocks of ' || s.name || ' are believed as one node said them',
    'The oldest of them was read at ' || min(r.read_at) || '.', 'hedge audit --source ' || s.name, min(r.read_at)
from block_range r join source s on s.id = r.source_id
where r.verdict = 'taken' and r.read_at < $1 - make_interval(secs => $5)
group by s.name
union all
select 'contradiction/' || node, 'node contradicted', 'chain', 'warning', null,
    node || ' said what could not be true ' || sum(times) || ' times', 'Last of block ' || max(block_number) || '; what it says is proved or asked elsewhere.',
    'read reporting.node_contradiction; think about another node', min(found_at)
from node_contradiction
where found_last_at > $1 - interval '1 day'
group by node
union all
select 'foreign/' || venue_id || '/' || broker_order_id, 'foreign order', 'orders', 'warning', symbol,
    'an order to ' || side || ' ' || symbol || ' at the broker is not ours', 'Its id there is ' || broker_order_id || '; it is not hedged back.',
    'find out whose it is; hedge halt ' || symbol || ' --reason … meanwhile', seen_at
from foreign_order
where seen_at > $1 - interval '1 day'
union all
select 'login/' || venue, 'login ends', 'broker',
    case when login_at < $1 - interval '156 hours' then 'critical' else 'warning' end, null,
    'the login at ' || venue || ' is ' || extract(day from $1 - login_at) || ' days old', 'It lasts seven days; nothing is hedged there after.',
    'hedge auth schwab', login_at
from credential
where login_at < $1 - interval '5 days'
union all
select 'outbox/' || channel || '/waiting', 'messages wait', 'alerts', 'warning', null,
    count(*) || ' messages by ' || channel || ' wait to be sent', 'The last reason: ' || coalesce(max(last_error), 'none is known') || '.',
    'hedge alert outbox; hedge doctor tries the mail server', min(written_at)
from outbox join letter on letter.id = letter_id
where state in ('waiting', 'sending') and written_at < $1 - make_interval(secs => $7)
group by channel
union all
select 'outbox/' || recipient || '/given up', 'messages given up', 'alerts', 'warning', null,
    count(*) || ' messages to ' || recipient || ' were given up', 'The last reason: ' || max(last_error) || '.',
    'hedge alert outbox; mend the address in [alerts]', min(ended_at)
from outbox
where state in ('failed', 'poisoned') and ended_at > $1 - interval '1 day'
group by recipient
union all
select 'calendar', 'calendar short', 'calendar', 'warning', null,
    'only ' || count(*) filter (where open_at is not null) || ' trading days ahead are known',
    'Jobs, deadlines and ageing go by them.', 'hedge job run calendar', $1
from market_session
where date > ($1 at time zone 'America/New_York')::date
having count(*) filter (where open_at is not null) < $6
union all
select 'job/' || job || '/failed', 'job failed', 'jobs', 'critical', null,
    job || ' of ' || business_date || ' failed', coalesce(said, '') , 'hedge job run ' || job || ' --date ' || business_date, started_at
from (select distinct on (job) * from job_run where state <> 'skipped' order by job, due_at desc) newest
where state = 'failed'
order by key
