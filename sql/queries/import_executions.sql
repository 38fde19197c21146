-- One row per execution that was imported before with other content; those that were not are written.
with
    given as (
        select *
        from unnest($2::bigint[], $3::text[], $4::text[], $5::numeric[], $6::numeric[], $7::text[], $8::text[],
                    $9::text[], $10::timestamptz[])
             as g (execution_id, symbol, side, quantity, price, status, broker, order_id, executed_at)
    ),
    written as (
        insert into imported_execution (import_id, execution_id, symbol, side, quantity, price, status, broker,
                                        order_id, executed_at)
        select $1, * from given
        on conflict do nothing
    )
select g.execution_id
from given g
join imported_execution e using (execution_id)
where (g.symbol, g.side, g.quantity, g.price, g.status, g.order_id)
      is distinct from (e.symbol, e.side, e.quantity, e.price, e.status, e.order_id)
order by 1
