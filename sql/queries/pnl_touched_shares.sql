-- One row per share that is to be counted again, and from when on.
select symbol, min(since) as since from pnl_touch where what = 'share' group by symbol
