"""What a parameter moves is told of days that all its values share, or it is not told."""

from types import SimpleNamespace

import pandas as pd
import pytest

from backtest.config.grid import Axis
from backtest.studies.dossier.fields import Fields
from backtest.studies.dossier.register import assumptions
from backtest.studies.dossier.sensitivity import Varied, axis_effects, effect_sentence

EARLY, LATE = "2017-08-18", "2019-08-20"
BASE = Axis(("models", "offset", "base", "lookback"), (250, 1000))
OWN = Axis(("models", "offset", "lookback"), (250, 1000))
# Of the years that 1000 days leave out come all exceedances; within common days both have nine.
EXCEEDANCES = {(250, 250): 50, (250, 1000): 9, (1000, 250): 9, (1000, 1000): 9}


def varied(*, own):
    """A grid of two look-backs, or of the base's alone."""
    axes = (BASE, OWN) if own else (BASE,)
    cells, rows = [], []
    for (base, other), count in EXCEEDANCES.items():
        if not own and other != 250:
            continue
        late = base == 1000 or (own and other == 1000)
        at = {BASE.name: base} | ({OWN.name: other} if own else {})
        cells.append({"values": at, "failed": "", "first_scored": LATE if late else EARLY})
        rows.append(
            at | {"model": "offset", "portfolio": "one", "observations": 1000 if late else 1500}
            | {"exceedances": count, "coverage_p": 0.01 if count == 50 else 0.5}
            | {"mean_margin": 1e6, "equal_coverage_margin": 1e6}
        )  # fmt: skip
    folder = SimpleNamespace(label="g")
    return Varied(folder, axes, pd.DataFrame(rows), 0, "offset", {}, tuple(cells))


def test_values_are_compared_on_the_days_that_they_share():
    effects = axis_effects(varied(own=True), BASE)
    assert effects["exceedances"].tolist() == [9, 9] and effects["rejected"].tolist() == [0, 0]
    assert effects["exceedance_rate"].tolist() == pytest.approx([0.009, 0.009])
    words = effect_sentence(varied(own=True), BASE)
    assert words.count("0.90 % of days") == 2 and "of the 2 of 4 cells" in words


def test_values_of_different_days_have_no_numbers_and_count_as_not_measured():
    grid = varied(own=False)
    assert (axis_effects(grid, BASE)["rows"] == 0).all()
    words = effect_sentence(grid, BASE)
    assert "%" not in words and f'score_from = "{LATE}"' in words
    table = {"kind": "correlation_offset", "base": {"kind": "historical_var", "lookback": 250}}
    rows = assumptions(table, model="offset", sources=(), grids=(grid,), fields=Fields())
    (row,) = [row for row in rows if row.key == "base.lookback"]
    assert not row.measured and row.sensitivity == words
