"""The study file that `backtest init` writes: what the files of a folder allow, commented."""

import re
from pathlib import Path

from backtest.config.load import read_study
from backtest.data.inspection import Inspection, inspect
from backtest.data.load import load_market
from backtest.instruments import parse_instrument
from backtest.instruments.names import known_form
from backtest.instruments.spot import ASSET_CLASSES
from backtest.market.tenors import tenor_years
from backtest.types import BacktestError, DataError, StudyError

LOOKBACKS = (500, 250, 125, 60)  # days of a historical simulation, the longest that leaves some
SCORED = 60  # days at least that the look-back leaves to score
MOST_FACTORS = 8

DECLARATION = """
# Of {name} only prices are known: models that need its class or a bucket refuse it. What is it?
# [instruments.{key}]
# kind = "CHOOSE"           # spot (metal, index), coin, etf, fund, fx: docs/declare.md
# asset_class = "CHOOSE"    # commodity, credit, crypto, equity, fx, rates, treasury, other
# silo = "CME"              # its clearing house
# buckets = {{ haircut = 0.2 }}
"""

TEMPLATE = """\
# A study of the prices in {folder}; see `backtest models` and docs/data.md for all it can say.
name = {name}
title = {title}
seed = 1

[data]
source = {folder}
factors = {factors}
# start = "2015-01-01"      # first day; without it, the day on which the last factor begins
# end = "2025-12-31"        # last day; without it, the day on which the first factor ends
{accept}{declarations}
# What cannot be recognised of a file is said in a table of its name:
# [data.files."desk.csv"]
# date = "Datum"
# date_format = "%d.%m.%Y"
# decimal = ","
# columns = {{ "10Y" = "Rendite" }}
# unit = "percent"

[clock]
kind = "business"           # "24/7": every calendar day is a margin day
calendar = "data"           # "SIFMA", "CME", "NYSE": only its sessions

[coverage]
confidence = 0.99
mpor = 2                    # margin days from the last good settlement to the end of close-out

[sizing]                    # stand-alone margins by which `risk` books are sized
kind = "historical_var"
lookback = {lookback}

[models.siloed]
kind = "siloed"
base = {{ kind = "historical_var", lookback = {lookback} }}

[models.var]
kind = "historical_var"
lookback = {lookback}

# Signed USD; `risk` in its place gives signed shares of risk, sized to `gross` USD.
{books}"""


def write_first_study(file: Path, folder: Path) -> list[str]:
    """Write the study, and return what was read and found.

    Raises
    ------
    StudyError : the file exists, or cannot be written.
    DataError : the folder holds no prices of which a book can be made.
    """
    if file.exists():
        raise StudyError(f"{str(file)!r} exists; give another name, or move it away.")
    if not folder.is_dir():
        raise DataError(f"no folder {str(folder)!r}; give a folder of prices.")
    found = inspect(folder)
    text = first_study(found, file, folder)
    read_study(text, where=file.name)
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        raise StudyError(f"cannot write {str(file)!r}: {error.strerror}.") from error
    return [*found.words, f"wrote {file}; run `backtest run {file}`"]


def first_study(found: Inspection, file: Path, folder: Path) -> str:
    """The text of the study."""
    impossible = next((f for f in found.findings if f.impossible), None)
    usable = {name: held for name in found.columns if (held := _instrument(name))}
    if impossible is not None:
        usable.pop(impossible.factor, None)
    factors, days = _joint(usable, folder)
    lookback = next((n for n in LOOKBACKS if days >= n + SCORED), None)
    if not factors or lookback is None:
        raise DataError(
            f"{str(folder)!r} has no factors with {LOOKBACKS[-1] + SCORED} common days of which a "
            "book can be made; `backtest inspect` says what was read."
        )
    doubts = {
        (f.factor, f.kind): f.sentence
        for f in found.findings
        if f.factor in factors and not f.impossible
    }
    return TEMPLATE.format(
        folder=_quoted(str(folder)),
        name=_quoted(file.stem),
        title=_quoted(f"Margins of {', '.join(usable[f] for f in factors)}"),
        factors="[" + ", ".join(map(_quoted, factors)) + "]",
        accept=_accept(doubts),
        declarations="".join(map(_declaration, factors)),
        lookback=lookback,
        books=_books([usable[factor] for factor in factors]),
    )


def _accept(doubts: dict[tuple[str, str], str]) -> str:
    """What is doubtful, and the one line that accepts it; empty where nothing is."""
    judged = ", ".join(
        f'{{ factor = {_quoted(factor)}, kind = {_quoted(kind)}, reason = "why it is true" }}'
        for factor, kind in doubts
    )
    said = "".join(f"\n# {sentence}" for sentence in doubts.values())
    return f"{said}\n# accept = [{judged}]\n" if doubts else ""


def _declaration(factor: str) -> str:
    """The table that says what a price is that no list of this program knows; else empty."""
    is_known = factor in ASSET_CLASSES or known_form(factor) or tenor_years(factor) is not None
    return "" if is_known else DECLARATION.format(name=factor, key=_key(factor))


def _key(name: str) -> str:
    """A name as a key of TOML."""
    return name if re.fullmatch(r"[\w-]+", name, re.ASCII) else _quoted(name)


def _instrument(factor: str) -> str:
    """Position in a factor that a book can name; empty where there is none."""
    years = tenor_years(factor)
    name = factor if years is None else f"UST{factor}" if years >= 2 else f"BILL{factor}"
    try:
        return name if factor.isascii() and parse_instrument(name) else ""
    except BacktestError:
        return ""


def _joint(usable: dict[str, str], folder: Path) -> tuple[tuple[str, ...], int]:
    """Factors that have enough common days, taken while they do, and how many days those are."""
    chosen: tuple[str, ...] = ()
    days = 0
    for factor in sorted(usable, key=lambda name: (tenor_years(name) or 100.0, name)):
        if len(chosen) == MOST_FACTORS:
            break
        try:
            market = load_market(folder, factors=(*chosen, factor))
        except BacktestError:
            continue
        if len(market.dates) >= max(LOOKBACKS[-1] + SCORED, days // 2):
            chosen, days = (*chosen, factor), len(market.dates)
    return chosen, days


def _books(positions: list[str]) -> str:
    """A book of each position, and one that holds all of them."""
    books = [
        f"[books.{_quoted('long ' + name)}]\nusd = {{ {_quoted(name)} = 100e6 }}\n"
        for name in positions
    ]
    if len(positions) > 1:
        risk = ", ".join(f"{_quoted(name)} = 1" for name in positions)
        books.append(f'[books."all of them, equal risk"]\nrisk = {{ {risk} }}\n')
    return "\n".join(books)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
