"""The page of `backtest simulate`: families kept and lost, ranks of facts, the farthest off."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from backtest.present.exhibit import Exhibit, Section
from backtest.present.numbers import MISSING, percent, pvalue
from backtest.present.table import Cell, TextTable, records
from backtest.simulate.own_facts import LONG_MOVES, MEMORY, MOMENTS, TAILS
from backtest.simulate.pair_facts import CORRELATION, JOINT_TAILS, LEADS
from backtest.studies.simulate.answer import simulate_answer
from backtest.studies.simulate.clustering import clustering_by_lag
from backtest.studies.simulate.figures import kept_and_lost
from backtest.studies.simulate.heat_map import lost_by_simulator
from backtest.studies.simulate.study import CHANCE, WHOLE, Judged, SimulateStudy
from backtest.studies.simulate.words import (
    farthest,
    kept_words,
    simulator_name,
    study_line,
    value_of,
)

CAPTION = (
    "A fact is kept where the data lie within the 5 to 95 % quantiles of it over simulated "
    "histories as long as the data. The data are one history: where a band is wide, a fact is kept "
    "though nobody knows it well. A bootstrap is spread around the data themselves, so it keeps "
    "nearly everything by its making, and that is no evidence of the years to come. Simulated laws "
    "are approximate."
)
CHANCE_WORDS = (
    "Of its own: facts that the simulator keeps of histories that it drew itself and was fitted to "
    "anew, in the mean and at least: what it loses of those is chance, or the bias of any fit of "
    "it. p: share of those histories and the data that lose at least as large a share as the data, "
    "a one-sided test; of many families and simulators one in twenty is at 0.05 by chance. "
)
MOST_FACTS, FEW_FACTS = 12, 2  # farthest off, of one simulator, and of each of several
VALUES = {"data": "data", "mean of paths": "mean", "5 %": "low", "95 %": "high"}
OWN_FAMILIES = (MOMENTS, TAILS, MEMORY, LONG_MOVES)
PAIR_FAMILIES = ((CORRELATION, JOINT_TAILS), (LEADS,))


def simulate_exhibit(study: SimulateStudy) -> Exhibit:
    """Everything `backtest simulate` shows."""
    one = len(study.judged) == 1
    sections = (
        [_families(study), *_ranks(study), _farthest(study, MOST_FACTS)]
        if one
        else [_simulators(study), _farthest(study, FEW_FACTS)]
    )
    origin = study.provenance
    return Exhibit(
        kind="simulate",
        title="What simulated histories keep of the data, and what they lose",
        answer=simulate_answer(study),
        caption=CAPTION,
        simulated=origin.prices.simulated,
        source_line=f"{origin.prices.sentence()}; {study_line(study)}.",
        sections=(*sections, _claims(study), *([_refused(study)] if study.refused else [])),
        provenance=origin,
        text=study.text,
    )


def _families(study: SimulateStudy) -> Section:
    """One simulator: a row a family."""
    ((kind, judged),) = study.judged.items()
    columns: dict[str, Callable[[Any], str | Cell]] = {
        "facts": lambda row: f"{row['known']:,.0f}",
        "kept": lambda row: Cell(f"{row['kept']:,.0f}", bold=row["p"] <= CHANCE),
    }
    notes = [f"{judged.simulator!r}.", _limits(judged)]
    if judged.own is not None:
        columns |= {
            "kept of its own, mean": lambda row: f"{row['own_mean']:,.1f}",
            "at least": lambda row: f"{row['own_least']:,.1f}",
            "p": lambda row: pvalue(row["p"]),
        }
        notes.append("Bold: p at most 0.05.")
    table = TextTable.of(
        f"Facts of the data that {simulator_name(kind)} keeps",
        "family",
        records(judged.families),
        columns,
        note=" ".join(notes),
    )
    return Section(
        name="families",
        heading="Kept and lost, by family",
        text=CHANCE_WORDS if judged.own is not None else "",
        table=study.families,
        tables=(table,),
        figure=kept_and_lost(study),
        simulated=True,
    )


def _simulators(study: SimulateStudy) -> Section:
    """Several simulators: a row each, a column a family."""
    known = study.families["known"].groupby(level="family", sort=False).max()

    def of_family(family: str) -> Callable[[Judged], Cell]:
        def cell(judged: Judged) -> Cell:
            row = judged.family(family)
            return Cell(kept_words(row, known[family]), bold=row["p"] <= CHANCE)

        return cell

    table = TextTable.of(
        "Facts of the data that each simulator keeps [fewest that it keeps of its own histories]",
        "simulator",
        [(simulator_name(kind), judged) for kind, judged in study.judged.items()],
        {f"{family}, of {known[family]:.0f}": of_family(family) for family in known.index}
        | {"days at a limit": lambda judged: percent(judged.diagnosis.range_acted)},
        note="Bold: more is lost than of all but 5 % of the simulator's own histories (p at most "
        "0.05). Days at a limit: on which some yield stopped at 0 or 20 %.",
    )
    return Section(
        name="families",
        heading="Kept and lost, by simulator and family",
        text=CHANCE_WORDS if study.histories else "",
        table=study.families,
        tables=(table,),
        figure=lost_by_simulator(study),
        simulated=True,
    )


def _ranks(study: SimulateStudy) -> list[Section]:
    """Where the data lie among the paths: a table a group of families, a row a fact or a pair."""
    ((kind, judged),) = study.judged.items()
    facts = judged.diagnosis.facts
    tables = [
        _rank_table("Facts of each factor", "fact", "of", facts.loc[list(OWN_FAMILIES)]),
        *(
            _rank_table(f"Facts of each pair: {' and '.join(families)}", "of", "fact",
                        facts.loc[list(families)])
            for families in PAIR_FAMILIES
            if len(study.kinds) > 1
        ),
    ]  # fmt: skip
    text = (
        "Share of paths, in %, on which the fact is smaller than in the data, equal ones counting "
        "half; bold where the data lie outside the 5 to 95 % of the paths. At 0 every path has "
        "more of it than the data, at 100 none has as much. "
    )
    first = Section(
        name="facts",
        heading="Where the data lie among the paths, by factor",
        text=text + "Values are in facts.csv.",
        table=study.facts,
        tables=(tables[0],),
        figure=clustering_by_lag(study),
        simulated=True,
    )
    pairs = Section(
        name="pairs",
        heading="Where the data lie among the paths, by pair of factors",
        text=text + "Lag l correlates the first factor with the second l days later. Fall with "
        "fall: tail dependence at 5 %, of the days on which one of the two is among its 5 % "
        "largest falls, those on which the other is; a rise of a yield is a fall of its bond.",
        tables=tuple(tables[1:]),
        simulated=True,
        on_screen=False,
    )
    return [first, pairs] if len(study.kinds) > 1 else [first]


def _rank_table(caption: str, rows: str, across: str, facts: pd.DataFrame) -> TextTable:
    """Ranks in per cent; rows, across : 'fact' and 'of', or the other way round."""
    cells = {
        (str(row[rows]), str(row[across])): Cell(rank_words(row["rank"]), bold=row["kept"] == 0.0)
        for row in facts.reset_index().to_dict("records")
    }
    names, heads = (list(dict.fromkeys(keys)) for keys in zip(*cells, strict=True))
    return TextTable.of(
        caption,
        {"of": "pair"}.get(rows, rows),
        [(name, name) for name in names],
        {_short(head): _of_head(cells, head) for head in heads},
    )


def rank_words(rank: float) -> str:
    """A share in per cent, 0 and 100 for none and all alone; nothing where it is not known.

    Examples
    --------
    >>> rank_words(0.9975), rank_words(1.0), rank_words(0.5), rank_words(float("nan"))
    ('99', '100', '50', '')
    """
    if np.isnan(rank):
        return ""
    return f"{100 * rank:.0f}" if rank in (0.0, 1.0) else f"{np.clip(100 * rank, 1.0, 99.0):.0f}"


def _of_head(cells: Mapping[tuple[str, str], Cell], head: str) -> Callable[[Any], Cell]:
    return lambda row: cells.get((row, head), Cell(""))


def _short(name: str) -> str:
    """A fact as the head of a column."""
    return name.removeprefix("correlation of x, ")


def _farthest(study: SimulateStudy, count: int) -> Section:
    """The facts that lie farthest outside their bands."""
    tables = {kind: farthest(one.diagnosis.facts, count) for kind, one in study.judged.items()}

    def rows(table: pd.DataFrame) -> list[tuple[str, Any]]:
        named: list[tuple[str, Any]] = [
            (f"{row['fact']}, {row['of']}", row) for row in table.to_dict("records")
        ]
        return named or [("none is outside", None)]

    def value(name: str) -> Callable[[Any], str]:
        return lambda row: MISSING if row is None else value_of(row, name, study)

    shown = TextTable.nest(
        "Facts farthest outside the band of the paths",
        ("simulator", "fact"),
        [(simulator_name(kind), rows(table)) for kind, table in tables.items()],
        {head: value(name) for head, name in VALUES.items()},
        note="In widths of the band; each fact for the factor or pair that is farthest off. Moves "
        "of prices in per cent, of yields in basis points.",
    )  # fmt: skip
    return Section(
        name="farthest" if len(study.judged) == 1 else "facts",
        heading="What is lost most",
        # One simulator's facts are stored with their ranks.
        table=None if len(study.judged) == 1 else study.facts,
        tables=(shown,),
        simulated=True,
    )


def _claims(study: SimulateStudy) -> Section:
    """What the authors of each simulator say of it, beside what was found."""
    table = TextTable.of(
        "Said of the simulators",
        "simulator",
        [(simulator_name(kind), judged) for kind, judged in study.judged.items()],
        {
            "is said to keep": lambda judged: Cell(said(judged, "keeps"), words=True),
            "is said to lose": lambda judged: Cell(said(judged, "loses"), words=True),
            "loses here beyond chance": lambda judged: Cell(lost_words(judged), words=True),
        },
    )
    return Section(
        name="claims",
        heading="What is said of them, and what was found",
        text="Left: of the law, in general. Right: families of facts of these data with p at most "
        "0.05.",
        tables=(table,),
        simulated=True,
    )


def said(judged: Judged, what: str) -> str:
    """What the class of a simulator says of it; what : 'keeps' or 'loses'."""
    return str(getattr(judged.simulator, what, "nothing is said"))


def lost_words(judged: Judged) -> str:
    """Families of which more is lost than chance explains."""
    if judged.own is None:
        return "not asked"
    if not judged.decided:
        return "not known, of so few histories"
    return ", ".join(name for name in judged.beyond_chance if name != WHOLE) or "nothing"


def _refused(study: SimulateStudy) -> Section:
    """Simulators that cannot be compared with these prices, and why."""
    rows = [(simulator_name(kind), reason) for kind, reason in study.refused.items()]
    table = TextTable.of_facts("Not compared", rows)
    frame = pd.DataFrame(study.refused.items(), columns=["simulator", "reason"])
    return Section("refused", "Simulators that are not compared", table=frame, tables=(table,))


def _limits(judged: Judged) -> str:
    acted = percent(judged.diagnosis.range_acted)
    return f"On {acted} of days some yield stopped at its limit of 0 or 20 %."
