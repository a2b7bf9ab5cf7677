"""[structure] of a study file: accounts, firms and houses, from the file itself or a table."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypeVar

import pandas as pd
from pydantic import Field

from backtest.clearing import ARRANGEMENTS, Arrangement, Firm, House, Member, Rules, Structure
from backtest.clearing.assumptions import Posts
from backtest.clearing.setting import DRAWS
from backtest.clearing.structure import EVERYWHERE
from backtest.config.sections import MOST_USD, Amount, Number, Table
from backtest.config.tables import read_table
from backtest.types import StudyError, shown

Made = TypeVar("Made")
REQUIRED = ("account", "firm", "kind")
OPTIONAL = ("house", "regime", "resources", "default_rate")


class MemberTable(Table):
    """An account: whose it is, and what stands behind it; one entry a house where regimes differ.

    Amounts and rates left out are assumed; a regime left out is that of the house's customers.
    """

    account: str
    firm: str
    kind: str = "customer"
    house: str = ""
    regime: str = ""
    resources: Amount | None = None
    default_rate: Number | None = None


class FirmTable(Table):
    """A clearing firm; what is left out is assumed."""

    capital: Amount | None = None
    contributions: dict[str, Amount] = Field(default_factory=dict)
    multiplier: Number | None = None
    posts: Posts | None = None
    default_rate: Number | None = None


class HouseTable(Table):
    """A clearing house; what is left out is that of its published waterfall."""

    capital: Amount | None = None
    fund: Amount | None = None
    assessment: Number | None = None


class StructureTable(Table):
    """Who carries which account, and who stands behind whom: docs/structure.md.

    `accounts` lists them here, `file` names a table beside the study; `sheet` is of a workbook.
    `payments` gives accounts the payment days of their regimes, or all those of [account].
    `assumptions` states terms in place of ours, `parameters` pins versions of rules. `fire_sale`
    adds one round in which the positions of customers that cannot pay move prices (approximate).
    """

    accounts: tuple[MemberTable, ...] = ()
    file: str = ""
    sheet: str = ""
    firms: dict[str, FirmTable] = Field(default_factory=dict)
    houses: dict[str, HouseTable] = Field(default_factory=dict)
    arrangements: tuple[str, ...] = tuple(ARRANGEMENTS)
    draws: Annotated[int, Field(strict=True, ge=1, le=100_000)] = DRAWS
    payments: Literal["regime", "account"] = "regime"
    assumptions: dict[str, Any] = Field(default_factory=dict)
    parameters: tuple[str, ...] = ()
    fire_sale: bool = False

    def compared(self) -> tuple[Arrangement, ...]:
        """The arrangements, in the order in which they are named.

        Raises
        ------
        StudyError : a name that is none, or twice.
        """
        if not self.arrangements:
            raise StudyError(f"structure.arrangements is empty; name some of {_known()}.")
        for name in self.arrangements:
            if name not in ARRANGEMENTS:
                raise StudyError(f"structure.arrangements names {shown(name)}; known: {_known()}.")
            if self.arrangements.count(name) > 1:
                raise StudyError(f"structure.arrangements names {shown(name)} twice; name it once.")
        return tuple(ARRANGEMENTS[name] for name in self.arrangements)


def check_structure(table: StructureTable, beside: Mapping[str, bytes]) -> None:
    """Raise StudyError where a structure cannot be used, whatever book and prices it is for."""
    table.compared()
    build_structure(table, beside)
    Rules.of(pinned=table.parameters, stated=table.assumptions)


def build_structure(table: StructureTable, beside: Mapping[str, bytes]) -> Structure:
    """The structure of a table; `beside` holds the content of files beside the study.

    Raises
    ------
    StudyError : one line that names the account, firm or house, its value, and what to do.
    """
    rows = _rows(table, beside)
    members: dict[str, list[tuple[str, MemberTable]]] = {}
    for where, row in rows:
        members.setdefault(row.account, []).append((where, row))
    firms = _named("firms", table.firms, Firm)
    houses = _named("houses", table.houses, House)
    return Structure(tuple(_member(entries) for entries in members.values()), firms, houses)


def _named(what: str, tables: Mapping[str, Table], kind: Callable[..., Made]) -> dict[str, Made]:
    """Firms or houses by name."""
    made = {}
    for name, table in tables.items():
        try:
            made[name] = kind(**table.model_dump())
        except StudyError as error:
            raise StudyError(f"structure.{what}.{name}: {error}") from error
    return made


def _rows(table: StructureTable, beside: Mapping[str, bytes]) -> list[tuple[str, MemberTable]]:
    """Entries of all accounts, and where each of them is."""
    if table.file and table.accounts:
        raise StudyError("structure has both `accounts` and `file`; give one of them.")
    if table.sheet and not table.file:
        raise StudyError(
            "structure.sheet is that of a workbook, and there is no `file`; remove it."
        )
    if table.accounts:
        return [(f"structure.accounts.{n}", row) for n, row in enumerate(table.accounts)]
    if not table.file:
        raise StudyError("structure names no account; give `accounts`, or a `file`.")
    frame = read_table(table.file, beside[table.file], table.sheet)
    known = (*REQUIRED, *OPTIONAL)
    heads = [str(column) for column in frame.columns]
    for column in REQUIRED:
        if column not in heads:
            raise StudyError(f"{table.file} has no column {column!r}; it has {', '.join(heads)}.")
    for column in heads:
        if column not in known:
            raise StudyError(
                f"{table.file} has a column {shown(column)}; known: {', '.join(known)}."
            )
    if frame.empty:
        raise StudyError(f"{table.file} holds no account; give one row an account.")
    empty = [""] * len(frame)
    columns = [_texts(frame[key]) if key in heads else empty for key in known]
    return [
        _row(f"{table.file} line {line}", dict(zip(known, cells, strict=True)))
        for line, cells in enumerate(zip(*columns, strict=True), start=2)
    ]


def _row(where: str, texts: dict[str, str]) -> tuple[str, MemberTable]:
    """One row of a file."""
    amounts: dict[str, float | None] = {}
    for key in ("resources", "default_rate"):
        text = texts.pop(key)
        try:
            amounts[key] = float(text) if text else None
            if not abs(amounts[key] or 0.0) <= MOST_USD:
                raise ValueError
        except ValueError:
            raise StudyError(f"{where}: {key} is {shown(text)}; give a number.") from None
    return where, MemberTable(
        account=texts["account"],
        firm=texts["firm"],
        kind=texts["kind"],
        house=texts["house"],
        regime=texts["regime"],
        resources=amounts["resources"],
        default_rate=amounts["default_rate"],
    )


def _texts(column: pd.Series) -> list[str]:
    """Cells as text, empty where a table has nothing."""
    cells = column.astype(object).where(column.notna(), "")
    return [str(cell).strip() for cell in cells.tolist()]


def _member(entries: list[tuple[str, MemberTable]]) -> Member:
    """An account from its entries, one a house."""
    where, first = entries[0]
    for key in ("account", "firm", "kind"):
        text = getattr(first, key)
        if not text.strip():
            raise StudyError(f"{where}: the {key} is empty; name it.")
        if not text.isprintable():
            raise StudyError(f"{where}: the {key} is {text!r}, which cannot be printed; rename it.")
    regimes: dict[str, str] = {}
    houses: set[str] = set()
    for place, entry in entries:
        for key in ("firm", "kind", "resources", "default_rate"):
            one, other = getattr(first, key), getattr(entry, key)
            if one != other:
                raise StudyError(
                    f"account {first.account!r} has {key} {shown(one)} ({where}) and "
                    f"{shown(other)} ({place}); give one."
                )
        house = entry.house or EVERYWHERE
        if house in houses:
            what = f"at {house}" if house else "without a house"
            raise StudyError(
                f"account {first.account!r} is twice {what} ({place}); give one row a house."
            )
        houses.add(house)
        if house or entry.regime:  # a house without a regime takes that of its customers
            regimes[house] = entry.regime
    try:
        return Member(
            first.account, first.firm, first.kind, regimes, first.resources, first.default_rate  # type: ignore[arg-type]
        )  # fmt: skip
    except StudyError as error:
        raise StudyError(f"{where}: {error}") from error


def _known() -> str:
    return ", ".join(map(repr, ARRANGEMENTS))
