"""Read a study file: TOML, every key checked, every mistake in one line; and build its book."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.config.accounts import Position, account_books, read_positions
from backtest.config.checks import check_study, mistake
from backtest.config.grid import axes_of
from backtest.config.positions import instruments_of, positions_book
from backtest.config.schema import StudyFile
from backtest.config.structure import check_structure
from backtest.instruments import declare, parse_instrument
from backtest.market.market import Market
from backtest.model.asking import required_margin
from backtest.model.protocol import MarginModel
from backtest.model.user_models import make_importable
from backtest.types import FloatArray, StudyError, read_regular, shown

DEEPEST = 50  # tables inside one another; models around models around models have ten
DEEP_KEY = re.compile(
    rf"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{DEEPEST}}}"""
)
PACKAGED = files("backtest") / "config" / "studies"
DEFAULT = "treasury-crypto"
CONTRACTS_FILE = "contracts.toml"  # beside a study, with [instruments] tables that several share


def default_study(name: str = DEFAULT) -> str:
    """Text of a packaged study, the default one unless named."""
    return (PACKAGED / f"{name}.toml").read_text(encoding="utf-8")


def packaged_studies() -> list[str]:
    """Names of the studies that come with the package, with the default one."""
    return sorted(f.name.removesuffix(".toml") for f in PACKAGED.iterdir() if ".toml" in f.name)


def read_study(text: str, *, where: str, folder: Path | None = None) -> StudyFile:
    """Read a study from a TOML text; `where` names the file in messages.

    Names mean what the study declares from now on (see `backtest.instruments.declared`).

    folder : with the files beside the study: `contracts.toml`, and those of its positions.

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
    raw, beside = _toml(text, where), {}
    if folder is not None and (folder / CONTRACTS_FILE).is_file():
        beside[CONTRACTS_FILE] = _beside(folder, CONTRACTS_FILE)
        _add_contracts(raw, beside[CONTRACTS_FILE])
    try:
        study = StudyFile(**raw)
    except ValidationError as error:
        raise StudyError(f"{where}: {mistake(error.errors(), raw)}") from error
    declare(study.instruments)
    try:
        check_study(study)
        axes_of(study)
        for table in (study.accounts, study.positions, study.structure):
            if table is not None and table.file and folder is not None:
                beside[table.file] = _beside(folder, table.file)
        if study.structure is not None and (folder is not None or not study.structure.file):
            check_structure(study.structure, beside)
    except StudyError as error:
        raise StudyError(f"{where}: {error}") from error
    return study.with_beside(beside)


def _toml(text: str, where: str) -> dict[str, Any]:
    """The tables of a TOML text."""
    try:
        # Dotted keys cost the square of their depth, and code below would recurse as deep.
        if DEEP_KEY.search(text):
            raise RecursionError
        raw = tomllib.loads(text)
        _refuse_deeper(raw)
        return raw
    except RecursionError:
        raise StudyError(
            f"{where}: tables are nested deeper than {DEEPEST}; flatten them."
        ) from None
    except ValueError as error:  # TOMLDecodeError, and Python's own limit of digits
        raise StudyError(f"{where} is not TOML: {error}") from error


def _beside(folder: Path, name: str) -> bytes:
    """Content of a file beside a study, which travels with its results."""
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise StudyError(f"{shown(name)} is not beside the study; copy it there and name it so.")
    try:
        return read_regular(folder / name)
    except (OSError, ValueError) as error:  # the latter of a name that no file can have
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise StudyError(f"cannot read {shown(name)} beside the study: {reason}.") from error


def _add_contracts(raw: dict[str, Any], content: bytes) -> None:
    """Add the instruments of `contracts.toml` to those of a study."""
    try:
        shared = _toml(content.decode("utf-8-sig"), CONTRACTS_FILE)
    except UnicodeDecodeError as error:
        raise StudyError(f"{CONTRACTS_FILE} is not UTF-8 text; save it so.") from error
    own = raw.get("instruments", {})
    if set(shared) != {"instruments"} or not isinstance(shared["instruments"], dict):
        raise StudyError(f"{CONTRACTS_FILE} holds {sorted(shared)}; it takes [instruments.<name>].")
    twice = [name for name in shared["instruments"] if isinstance(own, dict) and name in own]
    if twice:
        raise StudyError(
            f"{twice[0]!r} is declared in the study and in {CONTRACTS_FILE}; leave one."
        )
    if isinstance(own, dict):
        raw["instruments"] = shared["instruments"] | own


def study_factors(study: StudyFile) -> tuple[str, ...]:
    """Factors of a study: its own list, or what its positions need where it declares instruments.

    Empty where a source is to give its usual ones.
    """
    if study.data.factors or not study.instruments:
        return study.data.factors
    names = position_names(study)
    return tuple(dict.fromkeys(f for name in names for f in parse_instrument(name).factors))


def position_names(study: StudyFile) -> dict[str, str]:
    """Where each instrument that a study holds is first named, by its name."""
    names: dict[str, str] = {}
    holds: list[tuple[str, Iterable[str]]] = [
        (f"book {name!r}", table.usd or table.risk or ()) for name, table in study.books.items()
    ]
    holds.append(("random.instruments", study.random.instruments))
    if study.accounts is not None:
        for position in _positions(study):
            where = f"{study.accounts.file} line {position.line}, account {position.account!r}"
            holds.append((where, (position.instrument,)))
    if study.positions is not None:
        holds.append((study.positions.file, instruments_of(study)))
    if study.sweep is not None:
        holds.append(("sweep", (study.sweep.treasury, study.sweep.crypto)))
    for where, instruments in holds:
        for name in instruments:
            names.setdefault(name, where)
    return names


def _positions(study: StudyFile) -> list[Position]:
    """The positions of the accounts file of a study."""
    table = study.accounts
    if table is None:
        return []
    return read_positions(table.file, study.beside[table.file], table.sheet)


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
    coverage = study.standard()
    if study.positions is not None:
        book = positions_book(study, market)
        Closeout(book, coverage).check()
        return book
    base = _Checked(study.sizing_model())
    rows: dict[str, dict[str, float]] = {}
    for name, table in study.books.items():
        if table.usd is not None:
            rows[name] = table.usd
            continue
        weights = pd.DataFrame([table.risk], index=[name])
        sized = Book.risk_matched(weights, market, base=base, coverage=coverage, gross=table.gross)
        rows[name] = dict(zip(table.risk or {}, map(float, sized.exposure[0]), strict=True))
    if study.accounts is not None:
        for name, usd in account_books(study.accounts, _positions(study), market).items():
            if name in rows:
                raise StudyError(f"account {name!r} has the name of a book; rename the book.")
            rows[name] = usd
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
        for name, drawn in zip(random_books.portfolios, random_books.exposure, strict=True):
            if name in rows:
                raise StudyError(f"book {name!r} has the name of a random book; give it another.")
            rows[name] = dict(zip(study.random.instruments, map(float, drawn), strict=True))
    frame = pd.DataFrame.from_dict(rows, orient="index").fillna(0.0)
    liquidation = study.closeout.liquidation()
    book = Book.from_frame(frame, market, rebalance=study.rebalance, liquidation=liquidation)
    Closeout(book, coverage).check()
    return book


def load_study(path: Path | None, *, default: str = DEFAULT) -> tuple[StudyFile, str]:
    """Load a study, with its text, from a file or by its packaged name; None is the default."""
    if path is None:
        text = default_study(default)
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
    study = read_study(text, where=path.name, folder=path.resolve().parent)
    make_importable((path.resolve().parent, Path.cwd()), study.models, study.sizing)
    return study, text
