-- One row per trade that was imported before with other content; those that were not are written.
with
    given as (
        select *
        from unnest($2::bytea[], $3::int[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::numeric[],
                    $9::numeric[], $10::timestamptz[])
             as g (tx_hash, log_index, trade_id, token_symbol, symbol, side, quantity, price, executed_at)
    ),
    written as (
        insert into imported_trade (import_id, tx_hash, log_index, trade_id, token_symbol, symbol, side, quantity,
                                    price, executed_at)
        select $1, * from given
        on conflict do nothing
    )
select g.trade_id
from given g
join imported_trade t using (tx_hash, log_index)
where (g.trade_id, g.symbol, g.side, g.quantity, g.price)
      is distinct from (t.trade_id, t.symbol, t.side, t.quantity, t.price)
order by 1
