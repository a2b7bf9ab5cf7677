"""Sections of the page that are in dollars a year, and the sentence that opens them."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from backtest.clearing.arrangement import SILOS
from backtest.present.exhibit import Section
from backtest.present.numbers import millions, money
from backtest.present.table import TextTable, of_column, records
from backtest.studies.protect.dollars import OTHERS, STUCK, DollarTerms

WHO = {
    "fellow": "fellow customers",
    "sipc": "SIPC",
    "elsewhere": "surplus at another house",
    "firm": "firms",
    "house": "houses' capital",
    "fund": "mutual fund",
    "uncovered": "nobody: uncovered",
    STUCK: "customers not ported",
}
ENDS = ("_low", "_high")
ROUNDING = 500.0  # USD a year: less is not a loss that a table in thousands could show
YEARLY = (
    "A year has {days:g} margin days, each of which is one close-out: nothing is remembered from "
    "one to the next, and what is lost on one is there again on the next. A default that comes "
    "whatever prices do falls on one day; a move of prices is in as many close-outs as the MPOR "
    "has days, and counts once (bounds: once, or each time). Bounds are of 95 % on each side, over "
    "days resampled in blocks of up to a year, with the spread of funding at {spread_low} and "
    "{spread_high} and the cost of capital at {cost_low} and {cost_high}. They know "
    "the days that were, and neither other models nor other assumptions, of which the next tables "
    "are. Losses are of few events, which a record shows badly: in simulated worlds the true loss "
    "was above the upper bound in one case of ten to two of five, not one of twenty, where five "
    "events or more differ, and in up to three of four where fewer do (docs/intervals.md)."
)


def dollar_section(table: pd.DataFrame, terms: DollarTerms, a_year: float, told: str) -> Section:
    """Dollars a year by model and arrangement, from `dollars`; `dollars.csv` is written from it.

    told : the sentence of `dollar_sentence`.
    """
    words = YEARLY.format(
        days=a_year, spread_low=_rate(terms.spread.low), spread_high=_rate(terms.spread.high),
        cost_low=_rate(terms.capital_cost.low), cost_high=_rate(terms.capital_cost.high),
    )  # fmt: skip
    return Section(
        name="dollars",
        heading="Dollars a year: what is saved, and who stands to lose more",
        text=(
            "Against separate silos under the same model. Margin is what accounts are asked for, "
            "of which the last calls have not settled: what they post, in the first table, is a "
            "little less or more. Funding: margin that they are no longer asked for, at "
            f"{_rate(terms.spread.value)} a year. Capital: {_rate(terms.customer_capital)} of "
            "the margin of futures and cleared swaps customers, which a firm must have "
            "(17 CFR 1.17(a)(1)(i)(B)), at "
            f"{_rate(terms.capital_cost.value)} a year; bonds "
            "count once they are commingled with futures. Losses: what others than the "
            f"account itself are expected to pay more. {words}"
        ),
        table=table,
        tables=(_balance(table),),
        sentences=(told,),
    )


def _rate(share: float) -> str:
    """A stated rate, with the digits that it was stated with."""
    return f"{100.0 * share:g} %"


def dollar_sentence(table: pd.DataFrame, model: str, arrangement: str) -> str:
    """What a model and an arrangement save a year, what others lose, and whether that is settled.

    Examples
    --------
    >>> names = ("funding_freed", "capital_freed", "loss_others", "net")
    >>> ends = {"": 1e6, "_low": -1e6, "_high": 3e6}
    >>> row = {name + end: usd for name in names for end, usd in ends.items()}
    >>> table = pd.DataFrame([row], index=pd.MultiIndex.from_tuples(
    ...     [("var", "gross")], names=["model", "arrangement"]))
    >>> dollar_sentence(table, "var", "gross").split(": ")[-1]
    'whether it pays is not settled.'
    """
    ((_, row),) = records(table.loc[[(model, arrangement)]])
    freed = [row[f"funding_freed{end}"] + row[f"capital_freed{end}"] for end in ("", *ENDS)]
    verdict = "whether it pays is not settled"
    if row["net_low"] > ROUNDING:
        verdict = "it pays within these bounds"
    elif row["net_high"] < -ROUNDING:
        verdict = "it costs others more than it frees"
    return (
        f"Under '{model}', {arrangement}, pooling would free {money(freed[0])} USD a year of "
        f"funding and capital ({money(freed[1])} to {money(freed[2])}) and others would stand to "
        f"lose {money(row['loss_others'])} more ({money(row['loss_others_low'])} to "
        f"{money(row['loss_others_high'])}): {verdict}."
    )


def _balance(table: pd.DataFrame) -> TextTable:
    """What is saved, lost and left, by model and arrangement."""
    columns = {
        "margin": of_column("margin", millions),
        "funding freed a year": with_bounds("funding_freed"),
        "capital freed a year": with_bounds("capital_freed"),
        "others lose more": with_bounds(f"loss_{OTHERS}"),
        "net": with_bounds("net"),
    }
    return _by_model(
        "Dollars a year against separate silos, USD m [95 %, each side]", table, columns
    )


def bearer_section(table: pd.DataFrame) -> Section:
    """Extra expected loss by who pays: a row an arrangement and bearer, a column a model."""
    models = list(dict.fromkeys(table.index.get_level_values("model")))
    columns = {model: (lambda row, model=model: cell(row[model], "loss")) for model in models}
    groups = []
    for name, rows in table.groupby(level="arrangement", sort=False):
        arrangement = str(name)
        by_model = dict(records(rows.droplevel("arrangement")))
        lines = [
            (who, {m: _loss_of(row, group) for m, row in by_model.items()})
            for group, who in WHO.items()
        ]
        shown = [
            (who, losses)
            for who, losses in lines
            if any(cell(loss, "loss") != "0" for loss in losses.values())
        ]
        if arrangement != SILOS and shown:
            groups.append((arrangement, shown))
    return Section(
        name="dollars_by_bearer",
        heading="Who stands to lose more",
        text=(
            "The losses above by who pays: below zero is less than with separate silos. A pool is "
            "closed out jointly too, so gains of one leg pay for the other also where the model "
            "saves no margin ('siloed'). Customers not ported: what closing them out costs, "
            "n/a and in no sum where an instrument is in no table of bid-offers. Who is not named "
            "pays nothing more."
        ),
        table=table.filter(like="loss_"),
        tables=(
            TextTable.nest(
                "Who is expected to pay more, USD m a year [95 %, each side]",
                ("arrangement", "who"),
                groups,
                columns,
            ),
        )
        if groups
        else (),
        on_screen=False,
    )


def _loss_of(row: dict[str, float], group: str) -> dict[str, float]:
    """The loss of a group with its bounds."""
    return {f"loss{end}": row[f"loss_{group}{end}"] for end in ("", *ENDS)}


def _by_model(
    caption: str, table: pd.DataFrame, columns: dict[str, Callable[[Any], Any]]
) -> TextTable:
    """A table of rows by model and arrangement, without the silos that all are compared with."""
    others = table[table.index.get_level_values("arrangement") != SILOS]
    groups = [
        (str(model), records(rows.droplevel("model")))
        for model, rows in others.groupby(level="model", sort=False)
    ]
    return TextTable.nest(caption, ("model", "arrangement"), groups, columns)


def with_bounds(column: str) -> Callable[[Any], str]:
    """An amount with its bounds, in USD millions."""
    return lambda row: cell(row, column)


def cell(row: Any, column: str) -> str:
    """An amount and its bounds; what rounding leaves of nothing is 0, and n/a what is unknown.

    Examples
    --------
    >>> cell({"a": 2e6, "a_low": -3.0, "a_high": 5e6}, "a")
    '+2.00 [0, +5.00]'
    """
    point, low, high = (_signed(row[column + end]) for end in ("", *ENDS))
    return point if point == low == high else f"{point} [{low}, {high}]"


def _signed(usd: float) -> str:
    return "0" if abs(usd) < ROUNDING else millions(usd, sign=True)
