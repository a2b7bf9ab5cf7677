"""`backtest rules`: which version of each rule is in force on a day, and what a change does."""
