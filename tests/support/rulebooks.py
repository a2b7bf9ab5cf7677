"""A rule of three versions that exists in a test alone."""

from contextlib import contextmanager

from backtest.parameters import files

RULE = "haircuts/toy"
VERSIONS = {  # haircut of BTC, first and last day in force
    "1": (0.10, "2020-03-01", "2020-05-31"),
    "2": (0.20, "2020-06-01", "2020-08-31"),
    "3": (0.30, "2020-09-01", ""),
}
FILE = """
title = "A rule of three versions"
source = "this test"
in_force_from = {begin}
{more}
verified = false
how = "memory"

[price]
BTC = {rate}

[[uncertain]]
term = "price.BTC"
low = {low}
high = {high}
why = "of the test"
"""
RANGE = (0.05, 0.50)


@contextmanager
def toy_rule(folder, ends=RANGE):
    """The rule, known to the package for a while; `ends` of the range of its haircut."""
    known = files.known_parameters()
    for version, (rate, begin, end) in VERSIONS.items():
        more = f'in_force_to = {end}\nsuperseded_by = "{RULE}/{int(version) + 1}"' if end else ""
        path = folder / f"{version}.toml"
        low, high = ends
        text = FILE.format(begin=begin, more=more, rate=rate, low=low, high=high)
        path.write_text(text, encoding="utf-8")
        known[f"{RULE}/{version}"] = path
    _forget()
    try:
        yield RULE
    finally:
        for version in VERSIONS:
            del known[f"{RULE}/{version}"]
        _forget()


def _forget():
    for cached in (files.rules, files.former_names, files._tables, files._read):
        cached.cache_clear()
