-- One row per wallet, in their order: what it gained by withdrawals from vaults, less what it paid into them.
select coalesce(sum(-trunc(m.amount_exact, least(w.decimals, 18))), 0)::numeric(38,18) as amount
from unnest($3::bytea[], $4::bytea[], $5::int[]) with ordinality as w (holder, token, decimals, place)
left join (
    vault_move m join chain_log l using (chain_id, block_hash, log_index)
) on m.chain_id = $1 and m.owner = w.holder and m.token = w.token and l.taken_by is null and l.block_number <= $2
group by w.place
order by w.place
