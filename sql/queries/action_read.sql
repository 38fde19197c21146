-- One row per corporate action with an ex-date from one day to another, the earlier first.
select id, action_id, kind, symbol, ex_date::text as ex_date, effective_at, record_date::text as record_date,
    payable_date::text as payable_date, ratio_new, ratio_old, to_symbol, cash_per_share, source, said,
    withdrawn_at is not null as withdrawn
from corporate_action
where ex_date between $1::date and $2::date
order by effective_at, id
