"""Sections on single accounts, capital, assumptions, collateral and the clearing mandate."""

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from backtest.clearing.arrangement import SILOS
from backtest.present.exhibit import Section
from backtest.present.numbers import MISSING, millions, percent, percent_down
from backtest.present.table import Cell, TextTable, of_column, records
from backtest.studies.protect.by_collateral import CASH
from backtest.studies.protect.cases import Cases
from backtest.studies.protect.dollar_sections import (
    ROUNDING,
    bearer_section,
    dollar_section,
    dollar_sentence,
    with_bounds,
)
from backtest.studies.protect.groups import TOGETHER, WHO
from backtest.studies.protect.mandate import MandateTerms, figures_table

STILL = 5e4  # USD a year


def case_sections(cases: Cases) -> Iterator[Section]:
    """Sections of a study in dollars, in the order in which they are read."""
    told = dollar_sentence(cases.table, cases.model, cases.arrangement)
    yield dollar_section(cases.table, cases.terms, cases.a_year, told)
    yield bearer_section(cases.table)
    if len(cases.accounts):
        yield _accounts(cases)
    if cases.supported is not None:
        yield _supported(cases.supported)
    if cases.swept is not None:
        yield _swept(cases, cases.swept)
    if cases.posted is not None:
        yield _posted(cases, cases.posted)
    if len(cases.capital):
        yield _capital(cases)
    if cases.mandate is not None and cases.mandate_terms is not None:
        yield _mandate(cases.mandate, cases.mandate_terms)
        yield _figures(cases.mandate_terms)


def _accounts(cases: Cases) -> Section:
    arrangements = cases.accounts.index.get_level_values("arrangement")
    shown = cases.accounts[arrangements.isin([SILOS, cases.arrangement])]
    groups = [
        (str(account), [(f"{m}, {a}", row) for (m, a), row in records(rows.droplevel("account"))])
        for account, rows in shown.groupby(level="account", sort=False)
    ]
    columns = {"margin": _amount("margin"), "funding freed a year": with_bounds("funding_freed")}
    return Section(
        name="account_dollars",
        heading="What the account itself saves",
        text="Mean margin over the scored days, and what less of it saves a year against silos.",
        table=cases.accounts,
        tables=(
            TextTable.nest(
                "Margin and funding of single accounts, USD m [95 %, each side]",
                ("account", "model, arrangement"),
                groups,
                columns,
            ),
        ),
    )


def _supported(supported: pd.DataFrame) -> Section:
    return Section(
        name="supported_savings",
        heading="What the data support of that saving",
        text=(
            "Each silo is scaled to its own coverage in hindsight, so that slack is not called "
            "saving, and the pool to the same coverage: total reduction, of it offset, and their "
            "one-sided lower bounds at 95 % (docs/methodology.md). A model that grants more than "
            "the bound saves margin that these days do not support. USD a year at the middle rate."
        ),
        table=supported,
        tables=(
            TextTable.of(
                "Supportable saving, USD m",
                "account",
                records(supported),
                {
                    "silos alone": of_column("alone", millions),
                    "total reduction [at least]": lambda row: _share(row, "total"),
                    "of it offset [at least]": lambda row: _share(row, "dependence"),
                    "funding a year": of_column("saved", millions),
                    "at least": of_column("saved_bound", millions),
                },
            ),
        ),
    )


def _swept(cases: Cases, swept: pd.DataFrame) -> Section:
    first, *others = records(swept)
    moves = {key: _moves(row, first[1]) for key, row in others}
    moving = {what for (what, _), moved in moves.items() if moved}
    still = [what for what in dict.fromkeys(w for w, _ in moves) if what not in moving]
    rows = [
        (" = ".join(filter(None, map(str, key))), row)
        for key, row in (first, *others)
        if key == first[0] or key[0] not in still
    ]
    unmoved = f" These move no column by more than 0.05m: {', '.join(still)}." if still else ""
    return Section(
        name="dollars_swept",
        heading="How far dollars move with what is assumed",
        text=(
            f"'{cases.model}', {cases.arrangement}: one assumption at a time at the ends of its "
            "range, against silos under the same assumption. Ranges are those of "
            f"`backtest rules protection_assumed`.{unmoved}"
        ),
        table=swept,
        tables=(
            TextTable.of(
                "Dollars a year by assumption, USD m",
                "assumption",
                rows,
                {
                    "funding freed": _amount("funding_freed"),
                    "capital freed": _amount("capital_freed"),
                    "fellow customers": _amount("loss_fellow"),
                    "all others lose more": _amount(f"loss_{TOGETHER}"),
                    "net [95 %, each side]": with_bounds("net"),
                },
            ),
        ),
    )


def _moves(row: Any, assumed: Any) -> bool:
    """Whether an assumption changes what is shown by more than `STILL`."""
    shown = ("funding_freed", "capital_freed", "loss_fellow", f"loss_{TOGETHER}", "net")
    return any(abs(row[column] - assumed[column]) > STILL for column in shown)


def _posted(cases: Cases, posted: pd.DataFrame) -> Section:
    of_arrangement = posted.index.get_level_values("arrangement") == cases.arrangement
    shown = posted[of_arrangement].droplevel("arrangement")
    columns = {
        "posted at market": _amount("market_value"),
        "others lose more than with cash": with_bounds("extra"),
        **{who: _amount(f"loss_{group}") for group, who in WHO.items()},
    }
    return Section(
        name="dollars_posted",
        heading="What it costs others that margin is not posted in cash",
        text=(
            f"'{cases.model}', {cases.arrangement}; every account posts the same. Expected loss of "
            "others, USD a year, at the value of close-out after haircut: the haircut itself pays "
            "nothing, so amounts are upper ends. Haircuts of Bitcoin, Ether and USDC are capital "
            "charges of the CFTC's pilot, as no schedule of a house lists them; the bill fund's "
            f"terms are assumptions. '{CASH}' is the same study with cash."
        ),
        table=posted,
        tables=(
            TextTable.of(
                "By collateral, USD m [95 %, each side]", "collateral", records(shown), columns
            ),
        ),
    )


def _capital(cases: Cases) -> Section:
    groups = [
        (str(account), records(rows.droplevel("account")))
        for account, rows in cases.capital.groupby(level="account", sort=False)
    ]
    return Section(
        name="own_capital",
        heading="Capital of firms for their own accounts",
        text=(
            "No rule of capital knows the cross-margining of houses, so these are the same under "
            "every arrangement. A broker-dealer has 15c3-1 with futures at published margin "
            "rates, a dealer in government securities alone 402.2, which nets bonds and futures; "
            "a bank's crypto has SCO60. Orders of magnitude: rates of futures are from memory."
        ),
        table=cases.capital,
        tables=(
            TextTable.nest(
                "Capital, and its cost a year, USD m",
                ("account", "rule"),
                groups,
                {
                    "capital": lambda row: row["reason"] or millions(row["capital"]),
                    "cost a year": with_bounds("cost"),
                },
            ),
        ),
    )


def _mandate(table: pd.DataFrame, terms: MandateTerms) -> Section:
    groups = [
        (str(book), records(rows.droplevel("book")))
        for book, rows in table.groupby(level="book", sort=False)
    ]
    return Section(
        name="mandate",
        heading="The clearing mandate: margin today, cleared, cross-margined",
        text=(
            "Every account by itself; futures are margined by their house throughout. Today "
            f"Treasuries are financed at no haircut for {percent(terms.zero_share, digits=0)} of "
            f"the market's volume and {percent(terms.haircut, digits=0)} (assumed) for the rest: "
            f"{percent(terms.mean_haircut, digits=2)} on the whole, on both long and short "
            "positions. An account is not the market: 'no haircut' and '2 % on all' are the two "
            "ends. Cleared margin is by the study's model, no house's own; bounds are over days."
        ),
        table=table,
        tables=(
            TextTable.nest(
                "Margin and its change from today, USD m [95 %, each side]",
                ("book", "step"),
                groups,
                {
                    "margin": _amount("margin"),
                    "change from today, as surveyed": with_bounds("change"),
                    "its funding a year": with_bounds("cost"),
                },
            ),
        ),
    )


def _figures(terms: MandateTerms) -> Section:
    figures = figures_table(terms)
    columns = {
        name: lambda row, name=name: Cell(str(row[name]), words=True)
        for name in ("printed", "by", "read")
    }
    return Section(
        name="published_figures",
        heading="Published figures on the mandate and its market",
        text=(
            "As printed, with what was read. They are the market's, and flows where ours are "
            "positions: nothing here was divided by anything there."
        ),
        table=figures,
        tables=(TextTable.of("Published figures", "figure", records(figures), columns),),
        on_screen=False,
    )


def _amount(column: str) -> Callable[[Any], str]:
    """An amount in USD millions; what rounding leaves of nothing is 0."""
    return lambda row: "0" if abs(row[column]) < ROUNDING else millions(row[column])


def _share(row: Any, name: str) -> str:
    """A share and its lower bound."""
    if row[name] != row[name]:
        return MISSING
    return f"{percent(row[name])} [{percent_down(row[f'{name}_bound'])}]"
