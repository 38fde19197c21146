-- One row per share that is held back.
select symbol, reason, detail from hold
