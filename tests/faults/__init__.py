"""Bad input as a library: seeded cases, each with its right end, and the runner that judges them.

`python -m tests.faults` (or `make faults`) runs all; the quick part runs with the other tests.
"""
