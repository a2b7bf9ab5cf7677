"""Small inputs that this program or others got wrong, with right values: `backtest selfcheck`.

A bug report that teaches something is one `Row` in the file of its kind, with its source and how
the right value is known without this program. A new kind is a file with `ROWS`, and its name in
`KINDS`.
"""
