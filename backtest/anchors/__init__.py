"""Published numbers of others, and what this program answers: `backtest anchors`.

An anchor is a number that somebody else printed, with the place where it stands. Those that may
ship are in the file of their kind; a file with `SETS` is one, and its name is in `SHIPPED`. Those
whose data may not ship are read from a folder that the user names (`HELD`). An input that some
program got wrong is no anchor but a row of `backtest.selfcheck`.
"""
