-- No row: one import at a time, and hedging does not begin meanwhile.
lock table import, go_live in share row exclusive mode
