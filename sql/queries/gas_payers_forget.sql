-- No row: these alone pay for transactions of ours on a chain.
delete from gas_payer where chain_id = $1 and address <> all ($2)
