-- What trades that are no fills moved in vaults. `select … from reporting.skipped_move`
select reason, token_symbol, direction, count(*) as moves, sum(token_quantity) as token_quantity
from reporting.skipped_move
group by reason, token_symbol, direction
order by reason, token_symbol, direction
