"""Broom's wiring: for the command, for its function, for the backtest."""
