"""Read a study file: TOML, every key checked, every mistake in one line; and build its book."""

import tomllib
from importlib.resources import files
from pathlib import Path

import pandas as pd
from pydantic import ValidationError

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.config.checks import check_study, mistake
from backtest.config.models import build_model
from backtest.config.schema import StudyFile
from backtest.market.market import Market
from backtest.model.protocol import asked
from backtest.model.user_models import make_importable
from backtest.types import StudyError, read_regular

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
        raw = tomllib.loads(text)
    except RecursionError:
        raise StudyError(f"{where} is not TOML: its tables are nested too deep.") from None
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


def build_book(study: StudyFile, market: Market) -> Book:
    """Build the portfolios of a study over one set of instruments; risk weights are sized in USD.

    Portfolios are sized with the first margin that the sizing model knows, so no later data
    influence them.
    """
    base, coverage = build_model(study.sizing), study.standard()
    rows: dict[str, dict[str, float]] = {}
    for name, table in study.books.items():
        if table.usd is not None:
            rows[name] = table.usd
            continue
        weights = pd.DataFrame([table.risk], index=[name])
        with asked(base):
            sized = Book.risk_matched(
                weights, market, base=base, coverage=coverage, gross=table.gross
            )
        rows[name] = dict(zip(table.risk or {}, map(float, sized.exposure[0]), strict=True))
    if study.random.portfolios:
        with asked(base):
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
