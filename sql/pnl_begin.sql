-- Whoever is writing facts is waited for: what they write is seen by the first count, and whoever
-- writes after this leaves a note.
lock table fill, chain_log, execution, oracle_price, corporate_action, cash_flow in share mode;
