-- One row per share that anything is known of.
select symbol, exposure, last_fill_price, last_fill_at from reporting.position_now
