"""The columns of a table of margins that somebody else computed, and what each of them means."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from backtest.types import DataError, shown

LABELS = ("account", "model", "silo", "group")
LOSSES = ("loss", "pnl")  # which of the two says which way round the numbers run
FORECASTS = ("value_at_risk", "expected_shortfall", "pit")
NUMBERS = (*LOSSES, "required", "held", *FORECASTS)
KNOWN = ("date", *LABELS, *NUMBERS)
SHOWN = 3  # examples in a message
WIDE = ":"  # between quantity and account in the head of a wide column
NEEDED = (
    "give date, account, loss (> 0 is a loss) or pnl (> 0 is a gain), and required, or wide "
    "columns such as 'loss:A' and 'required:A' beside date; margin is read as required"
)


@dataclass(frozen=True)
class Layout:
    """Where each quantity stands in a table.

    Parameters
    ----------
    columns : name in the table by its meaning, for a long table; `date` alone for a wide one.
    wide : name in the table by (quantity, account); empty for a long table.
    """

    columns: dict[str, str]
    wide: dict[tuple[str, str], str]

    @property
    def loss(self) -> Literal["loss", "pnl"]:
        """'loss' or 'pnl', whichever the table has."""
        quantities = {quantity for quantity, _ in self.wide} or set(self.columns)
        return "pnl" if "pnl" in quantities else "loss"


def layout_of(names: Iterable[str], where: str) -> Layout:
    """Recognise the columns of a table; capitals and spaces do not matter.

    where : the table, as a message names it.

    Raises
    ------
    DataError : a column that is missing, unknown or there twice, or both loss and pnl.

    Examples
    --------
    >>> layout_of(["Date", "Account", "P&L", "Required"], "the table").columns["pnl"]
    'P&L'
    >>> layout_of(["date", "loss:A", "required:A"], "the table").wide["loss", "A"]
    'loss:A'
    >>> layout_of(["date", "account", "loss", "requried"], "the table")
    Traceback (most recent call last):
    ...
    backtest.types.DataError: the table has a column 'requried', which means nothing here; did you \
mean required? Rename or remove it.
    """
    columns: dict[str, str] = {}
    wide: dict[tuple[str, str], str] = {}
    for name in names:
        quantity, mark, account = name.partition(WIDE)
        meaning = _plain(quantity)
        if mark and meaning in NUMBERS and account.strip():
            place: dict[tuple[str, str], str] = {(meaning, account.strip()): name}
            if place.keys() & wide.keys():
                raise DataError(f"{where} has two columns {shown(name)}; remove one.")
            wide |= place
            continue
        meaning = _plain(name)
        if meaning not in KNOWN:
            near = get_close_matches(meaning, KNOWN, 1)
            hint = f"did you mean {near[0]}? " if near else f"known: {', '.join(KNOWN)}. "
            raise DataError(
                f"{where} has a column {shown(name)}, which means nothing here; {hint}Rename or "
                "remove it."
            )
        if meaning in columns:
            raise DataError(f"{where} has two columns for {meaning}; remove one.")
        columns[meaning] = name
    _check(columns, wide, where)
    return Layout(columns, wide)


def _check(columns: dict[str, str], wide: dict[tuple[str, str], str], where: str) -> None:
    if wide and columns.keys() - {"date"}:
        raise DataError(
            f"{where} is wide ({shown(next(iter(wide.values())))}) and has a column "
            f"{shown(next(iter(columns.keys() - {'date'})))} too; remove it, or give a long table."
        )
    present = {quantity for quantity, _ in wide} if wide else columns.keys()
    needed = ("date", "required") if wide else ("date", "account", "required")
    for name in needed:
        if name not in (*present, *columns):
            raise DataError(f"{where} has no column {name}; {NEEDED}.")
    if len(present & set(LOSSES)) != 1:
        count = "neither loss nor pnl" if not present & set(LOSSES) else "both loss and pnl"
        raise DataError(f"{where} has {count}; {NEEDED}.")


def _plain(name: str) -> str:
    """A name in small letters, with the common ways to write P&L and the rest."""
    plain = "_".join(name.strip().lower().replace("-", " ").split())
    return {"p&l": "pnl", "p/l": "pnl", "portfolio": "account", "margin": "required"}.get(
        plain, plain
    )


def some(names: Iterable[object], count: int | None = None) -> str:
    """The first names of a list, and that there are more.

    Examples
    --------
    >>> some("abcd"), some(["a"], 2)
    ('a, b, c, ...', 'a, ...')
    """
    listed = [str(name) for name in names]
    total = len(listed) if count is None else count
    return ", ".join(listed[:SHOWN]) + (", ..." if total > len(listed[:SHOWN]) else "")
