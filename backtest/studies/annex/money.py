"""What is saved in money, and what its funding costs, from a table of results at full precision."""

from dataclasses import dataclass
from io import BytesIO
from math import isnan

import pandas as pd

from backtest.present.numbers import MISSING, millions
from backtest.present.table import Cell, TextTable
from backtest.studies.annex.sources import Source
from backtest.studies.annex.topics import Say
from backtest.types import read_regular

POINT = 0.01  # a percentage point of a rate
THOUSAND = 1e3


@dataclass(frozen=True)
class Funding:
    """A rate at which margin is funded: per cent a year, and what it is."""

    percent: float
    source: str


def money_table(say: Say, source: Source, funding: Funding | None) -> TextTable | None:
    """Money behind a share and its lower bound, row by row; None where a folder has none.

    The bound is that of the share times the same base, which is taken as given.
    """
    if not say.file or not source.has_as_written(say.file):
        return None
    content = read_regular(source.folder / say.file)
    frame = pd.read_csv(BytesIO(content), index_col=0, dtype={0: str})
    if not {say.base, say.share, say.bound} <= set(frame.columns) or frame.empty:
        return None
    sizes = [c for c in frame.columns if say.size and c.startswith(say.size)]
    heads = [
        *(["gross, USD m"] if sizes else []),
        "silos' margins, USD m",
        "saved, USD m [at least]",
        "its funding a year for each percentage point, USD thousand [at least]",
    ]
    if funding is not None:
        heads.append(f"its funding a year at {funding.percent:g} %, USD thousand [at least]")
    groups = []
    for name, row in frame.iterrows():
        base = float(row[say.base])
        saved, least = base * float(row[say.share]), base * float(row[say.bound])
        cells = [Cell(millions(float(row[sizes].sum(skipna=False))))] if sizes else []
        cells += [Cell(millions(base)), Cell(_with_bound(saved, least))]
        cells.append(Cell(_thousands(saved * POINT, least * POINT)))
        if funding is not None:
            rate = funding.percent * POINT
            cells.append(Cell(_thousands(saved * rate, least * rate)))
        groups.append((str(name), (tuple(cells),)))
    note = "Mean over the scored days; a bound at or below zero supports no saving."
    if funding is not None:
        note += f" Rate: {funding.percent:g} % a year, {funding.source} (as stated by the author)."
    return TextTable(
        say.what, ("book", *heads), tuple(groups), note,
        source_line=source.record.source_line,
    )  # fmt: skip


def _with_bound(saved: float, least: float) -> str:
    """An amount and its lower bound, both in USD millions.

    Examples
    --------
    >>> _with_bound(1_340_000.0, -20_000.0), _with_bound(float("nan"), float("nan"))
    ('1.34 [-0.020]', 'n/a')
    """
    return MISSING if isnan(saved) else f"{millions(saved)} [{millions(least)}]"


def _thousands(saved: float, least: float) -> str:
    """An amount and its lower bound, both in thousands of USD.

    Examples
    --------
    >>> _thousands(13_400.0, -140.0), _thousands(40.0, -10.0), _thousands(90.0, float("nan"))
    ('13.4 [-0.1]', '0.0 [0.0]', '0.1 [n/a]')
    """
    return MISSING if isnan(saved) else f"{_in_thousands(saved)} [{_in_thousands(least)}]"


def _in_thousands(usd: float) -> str:
    if isnan(usd):
        return MISSING
    text = f"{usd / THOUSAND:,.1f}"
    # What rounds to zero has no sign: '-0.0' would look like a loss.
    return "0.0" if text == "-0.0" else text
