-- No row: these pay for transactions of ours on a chain.
insert into gas_payer (chain_id, address) select $1, unnest($2::bytea[]) on conflict do nothing
