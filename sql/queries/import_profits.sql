-- No row: lines of P&L that were not imported before are written.
insert into imported_profit (import_id, trade_type, trade_id, symbol, side, quantity, price, realized, cumulative,
                             net_after, executed_at)
select $1, *
from unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::numeric[], $7::numeric[], $8::numeric[],
            $9::numeric[], $10::numeric[], $11::timestamptz[])
on conflict do nothing
