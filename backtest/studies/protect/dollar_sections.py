"""Sections of the page that are in dollars a year, and the sentence that opens them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from backtest.clearing.arrangement import SILOS
from backtest.present.exhibit import Section
from backtest.present.numbers import MISSING, millions, money
from backtest.present.table import TextTable, of_column, records
from backtest.scores.money.rare import FEWEST_EVENTS
from backtest.studies.protect.dollars import DollarTerms
from backtest.studies.protect.groups import TOGETHER, WHO

LOST = f"loss_{TOGETHER}"
ENDS = ("_low", "_high")
ROUNDING = 500.0  # USD a year: less is not a loss that a table in thousands could show
YEARLY = (
    "A year has {days:g} margin days, each of which is one close-out: nothing is remembered from "
    "one to the next, and what is lost on one is there again on the next. A default that comes "
    "whatever prices do falls on one day; a move of prices is in as many close-outs as the MPOR "
    "has days, and counts once (bounds: once, or each time). Bounds are of 95 % on each side over "
    "dates, with the spread of funding at {spread_low} and {spread_high} and the cost of capital "
    "at {cost_low} and {cost_high}; that of the net takes the ends that are worst together. They "
    "know neither other models nor other assumptions, of which the next tables are. A loss that "
    "differs from that in silos in fewer than {fewest} events has an estimate and no bound, and "
    "neither has the net: none would hold. Of simulated records with bounds, where 5 % is meant, "
    "the truth was above that of a loss in 0 to 5 % and below it in 1 to 13, above that of what is "
    "freed in 2 to 24 and below it in 0 to 4, above that of the net in 0 to 13 and below it in 0 "
    "to 3 (docs/intervals.md)."
)


def dollar_section(table: pd.DataFrame, terms: DollarTerms, a_year: float, told: str) -> Section:
    """Dollars a year by model and arrangement, from `dollars`; `dollars.csv` is written from it.

    told : the sentence of `dollar_sentence`.
    """
    words = YEARLY.format(
        days=a_year, spread_low=_rate(terms.spread.low), spread_high=_rate(terms.spread.high),
        cost_low=_rate(terms.capital_cost.low), cost_high=_rate(terms.capital_cost.high),
        fewest=FEWEST_EVENTS,
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
    >>> row = {"freed": 1e6, "loss_others": 2e6, "net": -1e6}
    >>> ends = {f"{name}_{end}": np.nan for name in row for end in ("low", "high")}
    >>> row |= ends | {"freed_low": 4e5, "freed_high": 3e6, "loss_others_events": 2}
    >>> table = pd.DataFrame([row], index=pd.MultiIndex.from_tuples(
    ...     [("var", "gross")], names=["model", "arrangement"]))
    >>> dollar_sentence(table, "var", "gross").split(" stand to lose ")[-1]
    '2.00m USD a year more (no bound: 2 events): no bound says whether it pays.'
    """
    ((_, row),) = records(table.loc[[(model, arrangement)]])
    if np.isnan(row["net_low"]):
        verdict = "no bound says whether it pays"
    elif row["net_low"] > ROUNDING:
        verdict = "it pays within these bounds"
    elif row["net_high"] < -ROUNDING:
        verdict = "it costs others more than it frees"
    else:
        verdict = "whether it pays is not settled"
    return (
        f"Under '{model}', {arrangement}, pooling would free {money(row['freed'])} USD a year "
        f"of funding and capital ({_words(row, 'freed')}) and others would stand to lose "
        f"{money(row[LOST])} USD a year more ({_words(row, LOST)}): {verdict}."
    )


def _words(row: Any, column: str) -> str:
    """Bounds of an amount in a sentence, or that it has none."""
    low, high = row[f"{column}_low"], row[f"{column}_high"]
    if np.isnan(low):
        return no_bound(row[f"{column}_events"])
    return f"{money(low)} to {money(high)}"


def no_bound(events: float) -> str:
    """Why an amount has no bound.

    Examples
    --------
    >>> no_bound(0.0), no_bound(1)
    ('no bound: 0 events', 'no bound: 1 event')
    """
    return f"no bound: {events:.0f} event{'' if events == 1 else 's'}"


def _balance(table: pd.DataFrame) -> TextTable:
    """What is saved, lost and left, by model and arrangement."""
    columns = {
        "margin": of_column("margin", millions),
        "funding freed a year": with_bounds("funding_freed"),
        "capital freed a year": with_bounds("capital_freed"),
        "others lose more": with_bounds(LOST),
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
            (who, losses) for who, losses in lines if any(_shows(loss) for loss in losses.values())
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
            "pays nothing more on these days."
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
    """The loss of a group with its bounds and its events."""
    return {f"loss{end}": row[f"loss_{group}{end}"] for end in ("", *ENDS, "_events")}


def _shows(loss: dict[str, float]) -> bool:
    """Whether a loss or a bound of it is more than nothing, or unknown."""
    known = [loss[f"loss{end}"] for end in ENDS if not np.isnan(loss[f"loss{end}"])]
    return any(_signed(usd) != "0" for usd in (loss["loss"], *known))


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
    >>> cell({"a": 2e6, "a_low": np.nan, "a_high": np.nan, "a_events": 2}, "a")
    '+2.00 (no bound: 2 events)'
    """
    point, low, high = (row[column + end] for end in ("", *ENDS))
    if np.isnan(point):
        return MISSING
    if np.isnan(low):
        return f"{_signed(point)} ({no_bound(row[f'{column}_events'])})"
    shown, *ends = map(_signed, (point, low, high))
    return shown if all(end == shown for end in ends) else f"{shown} [{', '.join(ends)}]"


def _signed(usd: float) -> str:
    return "0" if abs(usd) < ROUNDING else millions(usd, sign=True)
