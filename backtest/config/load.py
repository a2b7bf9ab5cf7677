"""Read a study file: TOML, every key checked, every mistake in one line; and build its book."""

import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.config.checks import check_study, mistake
from backtest.config.models import build_model
from backtest.config.schema import StudyFile
from backtest.market.market import Market
from backtest.model.protocol import MarginModel, required_margin
from backtest.model.user_models import make_importable
from backtest.types import FloatArray, StudyError, read_regular

DEEPEST = 50  # tables inside one another; models around models around models have ten
DEEP_KEY = re.compile(
    rf"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{DEEPEST}}}"""
)
PACKAGED = files("backtest") / "config" / "studies"
DEFAULT = "treasury-crypto"


def default_study() -> str:
    """Text of the packaged default study."""
    return (PACKAGED / f"{DEFAULT}.toml").read_text(encoding="utf-8")


def packaged_studies() -> list[str]:
    """Names of the studies that come with the package, with the default one."""
    return sorted(f.name.removesuffix(".toml") for f in PACKAGED.iterdir() if ".toml" in f.name)


def read_study(text: str, *, where: str) -> StudyFile:
    """Read a study from a TOML text; `where` names the file in messages.

    Raises
    ------
    StudyError : one line that names the key or value, and the known ones.

    Examples
    --------
    >>> read_study("seeed = 1", where="my.toml")
    Traceback (most recent call last):
    ...
    backtest.types.StudyError: my.toml: unknown key 'seeed'. Did you mean 'seed'?
    """
    try:
        # Dotted keys cost the square of their depth, and code below would recurse as deep.
        if DEEP_KEY.search(text):
            raise RecursionError
        raw = tomllib.loads(text)
        _refuse_deeper(raw)
    except RecursionError:
        raise StudyError(
            f"{where}: tables are nested deeper than {DEEPEST}; flatten them."
        ) from None
    except ValueError as error:  # TOMLDecodeError, and Python's own limit of digits
        raise StudyError(f"{where} is not TOML: {error}") from error
    try:
        study = StudyFile(**raw)
    except ValidationError as error:
        raise StudyError(f"{where}: {mistake(error.errors(), raw)}") from error
    try:
        check_study(study)
    except StudyError as error:
        raise StudyError(f"{where}: {error}") from error
    return study


@dataclass(frozen=True)
class _Checked:
    """A model whose margins are checked as those of a study are: it may be a user's own."""

    model: MarginModel

    def __repr__(self) -> str:
        return repr(self.model)

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin of the model, checked."""
        return required_margin(self.model, market, book, coverage)


def _refuse_deeper(value: Any, above: int = 0) -> None:
    """Raise RecursionError where tables or lists are nested deeper than `DEEPEST`."""
    if above > DEEPEST:
        raise RecursionError
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        _refuse_deeper(each, above + 1)


def build_book(study: StudyFile, market: Market) -> Book:
    """Build the portfolios of a study over one set of instruments; risk weights are sized in USD.

    Portfolios are sized with the first margin that the sizing model knows, so no later data
    influence them.
    """
    base, coverage = _Checked(build_model(study.sizing)), study.standard()
    rows: dict[str, dict[str, float]] = {}
    for name, table in study.books.items():
        if table.usd is not None:
            rows[name] = table.usd
            continue
        weights = pd.DataFrame([table.risk], index=[name])
        sized = Book.risk_matched(weights, market, base=base, coverage=coverage, gross=table.gross)
        rows[name] = dict(zip(table.risk or {}, map(float, sized.exposure[0]), strict=True))
    if study.random.portfolios:
        random_books = Book.random(
            study.random.instruments,
            market,
            base=base,
            coverage=coverage,
            gross=study.random.gross,
            portfolios=study.random.portfolios,
            seed=study.random.seed,
        )
        for name, usd in zip(random_books.portfolios, random_books.exposure, strict=True):
            if name in rows:
                raise StudyError(f"book {name!r} has the name of a random book; give it another.")
            rows[name] = dict(zip(study.random.instruments, map(float, usd), strict=True))
    frame = pd.DataFrame.from_dict(rows, orient="index").fillna(0.0)
    liquidation = study.closeout.liquidation()
    book = Book.from_frame(frame, market, rebalance=study.rebalance, liquidation=liquidation)
    Closeout(book, coverage).check()
    return book


def load_study(path: Path | None) -> tuple[StudyFile, str]:
    """Load a study, with its text, from a file or by its packaged name; None is the default."""
    if path is None:
        text = default_study()
        return read_study(text, where="the default study"), text
    packaged = PACKAGED / f"{path.name}.toml"
    if path == Path(path.name) and not path.exists() and packaged.is_file():
        text = packaged.read_text(encoding="utf-8")
        return read_study(text, where=f"the packaged study {path.name!r}"), text
    try:
        text = read_regular(path).decode("utf-8-sig")  # some editors put a mark before the text
    except (OSError, UnicodeDecodeError) as error:
        names = ", ".join(packaged_studies())
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise StudyError(
            f"cannot read study {str(path)!r}: {reason}. Packaged studies: {names}."
        ) from error
    study = read_study(text, where=path.name)
    make_importable((path.resolve().parent, Path.cwd()), study.models, study.sizing)
    return study, text
