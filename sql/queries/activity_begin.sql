-- One row: when hedging began anywhere; null where it has not.
select min(happened_at) as begun from go_live
