"""`backtest closeout`."""
