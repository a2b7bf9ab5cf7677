"""`backtest run`."""
