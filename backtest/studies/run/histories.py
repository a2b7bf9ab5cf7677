"""The table of simulated histories, where a study drew some."""

from typing import Any

from backtest.present.numbers import millions, percent
from backtest.replay.distribution import Distribution
from backtest.studies.run.content import Cell, TableOf

ENDS = ("", "_low", "_high")


def simulated_table(found: Distribution) -> TableOf:
    """Spread of exceedance rate and margin over the paths, by book and model."""
    summary, manifest = found.summary(), found.manifest
    groups = []
    for portfolio in found.portfolios:
        rows = []
        for model in found.models:
            row: Any = summary.loc[(model, portfolio)]
            rate = [percent(row[f"exceedance_rate{end}"], digits=2) for end in ENDS]
            margin = [millions(row[f"mean_margin{end}"]) for end in ENDS]
            rows.append(
                [
                    Cell(model),
                    Cell(f"{rate[0]} [{rate[1]}, {rate[2]}]"),
                    Cell(percent(row["missed"])),
                    Cell(f"{margin[0]} [{margin[1]}, {margin[2]}]"),
                    Cell(percent(row["saving_vs_siloed"], sign=True)),
                ]
            )
        groups.append((portfolio, rows))
    return TableOf(
        f"SIMULATED histories: {manifest['paths']:,} paths drawn by {manifest['simulator']}, "
        f"seed {manifest['seed']}.",
        [
            "book",
            "model",
            "exceedance rate [95 % of paths]",
            "paths with more than allowed",
            "mean margin, USD m [95 % of paths]",
            "saving against siloed",
        ],
        groups,
        notes="The same paths for every model. They say what else could have happened under the "
        "fitted law, and add no information beyond the exceedances that history holds: the offset "
        "tables count those, with their effective number. Yields were stopped at the edge of "
        f"their range on {float(found.range_acted.mean()):.2%} of days.",
    )
