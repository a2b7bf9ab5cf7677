"""`backtest power`."""
