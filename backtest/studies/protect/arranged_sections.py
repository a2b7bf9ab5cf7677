"""Sections on a stress test by arrangement: who pays in a scenario, and how far each layer is."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from backtest.clearing.arrangement import SILOS
from backtest.clearing.ledger import BEARERS, CENT
from backtest.present.exhibit import Section
from backtest.present.figure import Figure
from backtest.present.naming import brief
from backtest.present.numbers import MISSING, millions, money, percent, ratio
from backtest.present.table import Cell, TextTable, of_column, records
from backtest.replay.protection.ladder import EVENTS, FELLOW_LOSE, FUND_PAYS, SOME_UNCOVERED
from backtest.replay.protection.reverse_accounts import ALL, MARGIN
from backtest.studies.protect.arranged import LEFT_TO, ArrangedStress
from backtest.studies.protect.figures import distance_of_layers
from backtest.studies.protect.figures.layers import far_words
from backtest.studies.protect.groups import GROUPS, WHO
from backtest.studies.sentences import counted, low_to_high, sentence

SHOWN = 5  # scenarios in the table
FURTHER = 0.005  # deviations: what two decimals do not tell apart
# Bearers by head of a column, in the order of the waterfall.
PAYERS = {
    WHO[group]: GROUPS[group]
    for group in sorted(GROUPS, key=lambda group: BEARERS.index(GROUPS[group][0]))
}


def arranged_sections(
    result: ArrangedStress, footnote: str, *, simulated: bool
) -> Iterator[Section]:
    """Scenarios through the waterfall, then reverse stress where it was asked for.

    footnote : of the figure: source, window, standard. simulated : whether prices are.
    """
    if len(result.scenarios):
        yield _scenarios(result)
    if len(result.reverse):
        yield _reverse(result, distance_of_layers(result, footnote, simulated=simulated))
    if len(result.accounts):
        yield _accounts(result)


def _scenarios(result: ArrangedStress) -> Section:
    worst = result.worst(SHOWN)
    named = [(name, pd.DataFrame(result.shown.xs(name, level="scenario"))) for name in worst]
    rows = [(name, [(str(one), row) for one, row in records(part)]) for name, part in named]
    paid = {head: result.shown[list(parts)].sum(axis=1) for head, parts in PAYERS.items()}
    columns: dict[str, Callable[[Any], str | Cell]] = {
        "accounts that lack something": lambda row: f"{row['lacking']:,.0f}",
        "accounts leave to others": _sum(LEFT_TO),
    }
    columns |= {
        head: _sum(PAYERS[head]) for head, amounts in paid.items() if (amounts > CENT).any()
    }
    columns["a firm fails"] = lambda row: _chance(row["firm_fails"])
    count = len(result.shown.index.unique("scenario"))
    return Section(
        name="stress_who_pays",
        heading="Who pays in a stress, by arrangement",
        text=(
            "Positions, collateral and what firms have advanced are those of the close of "
            f"{result.day}; a scenario's moves are carried through the same close-out and the same "
            "waterfall as the losses of every scored day, and nobody is drawn to default. Margin "
            "is what each arrangement has called, house by house where accounts are not pooled. "
            "Scenarios are those of the tables above and the days of the history, up to then, "
            "whose moves would make accounts leave most to others under any model and arrangement. "
            "No scenario has a probability."
        ),
        table=result.scenarios,
        tables=(
            TextTable.nest(
                f"Who pays, '{result.model}', USD m", ("scenario", "arrangement"), rows, columns,
                note=f"The {len(worst)} of {count:,} scenarios in which most is left to others. "
                "Where all firms of a study fail, none of them is left to pay into a mutual fund. "
                "All models, houses and scenarios: stress_who_pays.csv, where what all bearers pay "
                "is the loss of all accounts to the cent.",
            ),
        )
        if worst
        else (),
        sentences=(_said_of_scenarios(result, worst),),
        on_screen=False,
    )  # fmt: skip


def _sum(parts: tuple[str, ...]) -> Callable[[Any], str]:
    """USD m of some bearers together; less than a cent is rounding."""

    def shown(row: Any) -> str:
        usd = sum(row[part] for part in parts)
        return millions(usd if abs(usd) > CENT else 0.0)

    return shown


def _chance(probability: float) -> str:
    return {0.0: "no", 1.0: "yes"}.get(probability, percent(probability))


def _said_of_scenarios(result: ArrangedStress, worst: list[str]) -> str:
    if not worst:
        return "In no scenario do accounts leave anything to others."
    fellow = result.shown["fellow customers"]
    most = fellow.groupby("scenario", sort=False).max()
    if not most.max() > CENT:
        return "In no scenario do fellow customers lose anything."
    name = str(most.idxmax())
    of_one = fellow.xs(name, level="scenario")
    show = partial(money, like=float(of_one.max()))
    words = f"fellow customers lose most in '{name}' under {result.model}"
    if SILOS not in of_one.index or len(of_one) == 1:
        return sentence(f"{words}: {low_to_high(of_one, show)} USD")
    silos, others = show(float(of_one[SILOS])), low_to_high(of_one.drop(SILOS), show)
    return sentence(f"{words}: {silos} USD in silos, {others} USD in the other arrangements")


def _reverse(result: ArrangedStress, figure: Figure | None) -> Section:
    table = result.nearest()
    columns = {event: of_column(event, _distance) for event in EVENTS}
    return Section(
        name="reverse_by_arrangement",
        heading="Reverse stress by arrangement: how far each layer is",
        text=(
            "The smallest move found at which something happens anywhere in the structure, in "
            "standard deviations (Mahalanobis' distance, as above): along each stated direction "
            "all accounts are closed out at ever larger multiples, and what is reached is read "
            "from who pays; of all moves together a search finds the most plausible one for the "
            "model shown. A margin is used up at a house where legs are closed out apart, and in "
            "sum where they are closed out together; where houses close out jointly with some "
            "probability only, the separate close-out counts. Between two steps of a quarter of a "
            "deviation something may be reached and undone unseen, and a nearer joint move may "
            "exist."
        ),
        table=result.reverse,
        figure=figure,
        tables=(
            TextTable.of(
                f"Distance of the nearest move, '{result.model}', standard deviations",
                "arrangement",
                [(str(name), row) for name, row in records(table)],
                columns,
                note="A firm's own money: capital, what it advanced, surplus of its own account, "
                "contributions. Other models, single directions, the moves themselves, whose "
                "margin and which firm: reverse_by_arrangement.csv.",
            ),
        ),
        sentences=tuple(_said_of_reverse(result, table)),
        on_screen=False,
    )


def _distance(value: float) -> str:
    return MISSING if np.isnan(value) else ratio(value)


def _said_of_reverse(result: ArrangedStress, table: pd.DataFrame) -> Iterator[str]:
    """How far fellow customers' loss, the fund and the last layer are, against silos."""
    words = [
        f"{event} {far_words(table[event])}"
        if table[event].notna().any()
        else f"{event} after no move within the search"
        for event in (FELLOW_LOSE, FUND_PAYS, SOME_UNCOVERED)
    ]
    yield sentence(
        f"with the positions of {result.day} under {result.model}, {'; '.join(words)} (standard "
        "deviations, of the nearest moves found)"
    )


def _accounts(result: ArrangedStress) -> Section:
    table = result.of_accounts()
    pairs = [(layer, name) for layer in (MARGIN, ALL) for name in result.compared]
    columns = {
        f"{layer}, {name}": _account_cell(name, layer)
        for layer, name in pairs
        if (name, layer) in table
    }
    return Section(
        name="account_reverse",
        heading="Reverse stress of accounts that may be pooled",
        text=(
            "Accounts with positions at several houses. The margin is used up once the account "
            "lacks something at a house or, where legs are closed out together, in sum; all it has "
            "once a customer leaves something unpaid: then its resources, and what it gained at "
            "other houses, are gone too. Legs apart have more margin, of which that of one leg "
            "pays nothing for the other; what one leg gained does."
        ),
        table=result.accounts,
        tables=(
            TextTable.of(
                f"Distance of the nearest move, '{result.model}', standard deviations",
                "account",
                [(str(name), row) for name, row in records(table)],
                columns,
                note="Firms' own accounts have no resources but the firm's capital. All models, "
                "arrangements and directions: account_reverse.csv.",
            ),
        ),
        sentences=_said_of_accounts(result, table),
        on_screen=False,
    )


def _account_cell(name: str, layer: str) -> Callable[[Any], str]:
    return lambda row: _distance(float(row[name, layer]))


def _said_of_accounts(result: ArrangedStress, table: pd.DataFrame) -> tuple[str, ...]:
    """For how many accounts pooling brings each layer nearer."""
    if len(result.compared) < 2 or (SILOS, MARGIN) not in table:
        return ()
    _, pooled = result.compared
    words = []
    for layer, what in ((MARGIN, "a margin"), (ALL, "all that a customer has")):
        if (pooled, layer) not in table:
            continue
        before = table[SILOS, layer].fillna(np.inf)
        after = table[pooled, layer].fillna(np.inf)
        known = table[SILOS, layer].notna() | table[pooled, layer].notna()
        nearer, farther = after < before - FURTHER, after > before + FURTHER
        text = (
            f"the move that uses up {what} is nearer for {int(nearer.sum()) or 'none'} of "
            f"{counted(int(known.sum()), 'account')} and farther for {int(farther.sum()) or 'none'}"
        )
        both = nearer & np.isfinite(before) & np.isfinite(after)
        if both.any():
            name = str((after / before)[both].idxmin())
            text += (
                f", most from {ratio(float(before[name]))} to {ratio(float(after[name]))} standard "
                f"deviations ({brief(name)})"
            )
        words.append(text)
    return (sentence(f"in '{pooled}' against silos under {result.model}, {'; '.join(words)}"),)
