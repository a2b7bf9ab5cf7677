"""Names of par yields."""

import re
from functools import cache

_TENOR = re.compile(r"^(\d+)([MY])$")


@cache
def tenor_years(factor: str) -> float | None:
    """Maturity in years of a par-yield factor named like '3M' or '10Y'; None for other names.

    Examples
    --------
    >>> tenor_years("3M"), tenor_years("10Y"), tenor_years("BTC")
    (0.25, 10.0, None)
    """
    match = _TENOR.match(factor)
    if match is None:
        return None
    return int(match[1]) / (12.0 if match[2] == "M" else 1.0)
