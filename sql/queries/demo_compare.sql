-- One row per fill or skipped log, to be laid beside the chain: its place,
-- and what was traded; null where the log was skipped.
select tx_hash || ' ' || log_index as place,
       concat_ws(' ', role, side, trim_scale(token_quantity_exact), trim_scale(usdc_exact)) as traded
from reporting.fill
union all
select tx_hash || ' ' || log_index, null
from reporting.skipped_log
where canonical
