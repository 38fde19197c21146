-- One row a token of the chain that was met before.
select address, symbol, decimals from token where chain_id = $1
