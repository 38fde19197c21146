-- One row per log of a canonical fill whose price feed is to be asked now, the newest first.
-- $2, $3: shares and their feeds. $5: now.
select l.block_number, l.block_hash, l.log_index, l.tx_hash, w.feed, coalesce(t.attempts, 0) as attempts
from chain_log l
join lateral (
    select distinct w.feed
    from fill f
    join unnest($2::text[], $3::bytea[]) as w (symbol, feed) on w.symbol = f.symbol
    where (f.chain_id, f.block_hash, f.log_index) = (l.chain_id, l.block_hash, l.log_index)
) w on true
left join oracle_attempt t
    on (t.chain_id, t.block_hash, t.log_index, t.feed) = (l.chain_id, l.block_hash, l.log_index, w.feed)
where l.source_id = $1 and l.block_number >= $4 and l.taken_by is null
    and not exists (
        select from oracle_price p
        where (p.chain_id, p.block_hash, p.log_index, p.feed) = (l.chain_id, l.block_hash, l.log_index, w.feed)
    )
    and (t.again_at is null or t.again_at <= $5)
order by l.block_number desc, l.log_index desc
limit $6
