"""The section on simulated histories: means over paths, and how surely they are known."""

import numpy as np
import pandas as pd

from backtest.present.exhibit import Section
from backtest.present.numbers import millions
from backtest.replay.protection.paths import ProtectedPaths
from backtest.replay.provenance import Provenance

# Columns of the page, by their names in the table; USD or USD a year.
SHOWN = {
    "margin": "margin",
    "fellow customers": "fellow customers lose a year",
    "mutual fund": "mutual fund pays a year",
    "uncovered": "uncovered a year",
}
TEXT = (
    "Means over {paths:,} histories drawn by {simulator}; USD m [95 % of the mean], all "
    "arrangements on the same histories. What is assumed as a multiple of margin is the same USD "
    "on every history. More histories narrow an interval, which says nothing of how far the "
    "simulator is from the world. There is none where fewer than five histories have such a loss "
    "without a default that comes whatever prices do: [seen in n]. In simulated worlds intervals "
    "of 20 or 100 histories held 91 to 100 % of true means, and 79 to 91 % of those which a few "
    "histories in a thousand carry, the rest being too low (docs/intervals.md)."
)


def paths_section(paths: ProtectedPaths, origin: Provenance) -> Section:
    """A row a (model, arrangement), in the order of the study."""
    table = paths.summary()
    return Section(
        name="paths",
        heading="The same on simulated histories",
        text=TEXT.format(paths=origin.paths, simulator=origin.simulator),
        table=table,
        brief=_brief(table),
        source_line=(
            f"SIMULATED: {origin.simulator} on {origin.prices.sentence()}; seed {origin.seed}, "
            f"n = {origin.paths:,} histories; {origin.held_to.sentence()}."
        ),
        simulated=True,
    )


def _brief(table: pd.DataFrame) -> pd.DataFrame:
    """Amounts with their intervals, in words."""
    keys = list(dict.fromkeys((model, arrangement) for model, arrangement, _ in table.index))
    models = list(dict.fromkeys(model for model, _ in keys))
    ordered = sorted(keys, key=lambda key: models.index(key[0]))
    words = {key: _words(row) for key, row in table.iterrows()}
    rows = [{head: words[*key, what] for what, head in SHOWN.items()} for key in ordered]
    index = pd.MultiIndex.from_tuples(ordered, names=["model", "arrangement"])
    return pd.DataFrame(rows, index)


def _words(row: pd.Series) -> str:
    """An amount and its interval in USD m, or the number of histories that have any."""
    if np.isfinite(row["low"]):
        return f"{millions(row['mean'])} [{millions(row['low'])}, {millions(row['high'])}]"
    seen = int(row["paths_with"])
    # Less than a dollar a year is what a default next to no loss leaves of its probability.
    amount = row["mean"] if row["mean"] >= 1.0 else 0.0
    return f"{millions(amount)} [seen in {seen or 'none'}]"
