-- One row per share, and one for cash: how much is where, by the newest reconciliation that saw everything.
create view reporting.inventory as
select
    i.instrument,
    i.onchain,
    i.at_brokers,
    i.onchain + i.at_brokers                                as total,
    round(i.ratio, 6)                                       as onchain_part,
    i.target                                                as target_part,
    i.deviation                                             as deviation_part,
    i.move_quantity <> 0                                    as is_off_target,
    i.move_quantity,
    case when i.move_quantity > 0 then 'to the chain' when i.move_quantity < 0 then 'to the broker' end as direction,
    i.run_id,
    r.finished_at                                           as seen_at
from recon_inventory i
join recon_run r on r.id = i.run_id
where i.run_id = (select max(run_id) from recon_inventory);

comment on view reporting.inventory is
    'One row per share, and one for cash (USD): how much is on chain and how much at brokers, against what is wanted. Nothing is moved by it.';
comment on column reporting.inventory.instrument is 'A ticker; USD is USDC in vaults and dollars at brokers together.';
comment on column reporting.inventory.onchain is 'In vaults: underlying shares at the wrapper''s ratio, or USDC.';
comment on column reporting.inventory.at_brokers is 'At brokers: shares, or dollars. Short is negative.';
comment on column reporting.inventory.total is 'Both together.';
comment on column reporting.inventory.onchain_part is 'On chain, as a part of the total, with 6 decimals. NULL: there is nothing, or something is owed.';
comment on column reporting.inventory.target_part is 'The part that should be on chain.';
comment on column reporting.inventory.deviation_part is 'How far from that it may be.';
comment on column reporting.inventory.is_off_target is 'Whether it is farther than that.';
comment on column reporting.inventory.move_quantity is 'What would bring it back to the target: to the chain is positive. 0 within the deviation.';
comment on column reporting.inventory.direction is 'Which way. NULL within the deviation.';
comment on column reporting.inventory.run_id is 'The run that saw it.';
comment on column reporting.inventory.seen_at is 'When it was seen, UTC.';
