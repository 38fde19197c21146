-- One row per version of a P&L row that a run closes: of this connection.
create temp table if not exists pnl_closing (
    symbol      text collate "C" not null,
    executed_at timestamptz      not null,
    trade_type  text             not null,
    trade_id    text collate "C" not null,
    ended_by    text             not null
);
truncate pnl_closing;
