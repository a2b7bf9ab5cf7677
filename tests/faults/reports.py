"""Files of prices that public bug reports are about, through the command line.

The files are those of `backtest selfcheck`; what it reads from them is checked there.
"""

from collections.abc import Iterator

from backtest.selfcheck.price_files import FILES
from backtest.selfcheck.row import Refused
from tests.faults.case import REFUSE, Case
from tests.faults.prices import RUN, STUDY, sound_files


def report_cases(seed: int) -> Iterator[Case]:
    """Each report whose files must not be used, in a study that needs them."""
    for report in FILES:
        if not isinstance(report.right, Refused):
            continue
        names = dict.fromkeys(["2Y", "10Y", "BTC", *report.factors])
        factors = ", ".join(f'"{name}"' for name in names).encode()
        files = {"study.toml": STUDY.replace(b'"2Y", "10Y", "BTC"', factors)}
        files |= {f"prices/{name}": text.encode() for name, text in report.texts().items()}
        kind, name = "bug report", f"{report.given} ({report.source})"
        yield Case(kind, name, RUN, sound_files(seed) | files, REFUSE, report.right.words)
