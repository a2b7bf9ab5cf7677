"""`backtest offset`."""
