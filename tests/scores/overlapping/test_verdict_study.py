"""The published size and power of the verdict, some cells measured again with another seed."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.tools.verdict_study import verdict_study

PAGE = Path(__file__).parents[3] / "docs" / "overlap.md"
HISTORIES, PUBLISHED = 1000, 4000


def published() -> pd.DataFrame:
    """Table of the page, as `verdict_study` returns it."""
    table = PAGE.read_text("utf-8").split("rate x ")[1].split("```")[0]
    rows: dict[tuple[str, int, int], list[float]] = {}
    world, horizon = "", 0
    for line in table.splitlines()[3:]:
        *names, days = line.split()[:-6]
        if names:
            horizon = int(names[-1])
            world = " ".join(names[:-1]) or world
        rows[world, horizon, int(days)] = [float(share) for share in line.split()[-6:]]
    return pd.DataFrame.from_dict(rows, orient="index")


def test_no_published_size_is_above_its_nominal_one() -> None:
    sizes = published().iloc[:, :3].to_numpy()
    assert sizes.shape == (60, 3)
    assert sizes.max() <= 5.0 + 3 * 100 * np.sqrt(0.05 * 0.95 / PUBLISHED)


@pytest.mark.slow
def test_cells_have_not_drifted() -> None:
    study = verdict_study(histories=HISTORIES, seed=5, horizons=(2,), lengths=(250, 500))
    table = published()
    for cell, shares in study.iterrows():
        expected = table.loc[[cell]].to_numpy()[0] / 100
        error = np.sqrt(expected * (1 - expected) * (1 / HISTORIES + 1 / PUBLISHED))
        assert (np.abs(shares.to_numpy() / 100 - expected) < 4 * error + 0.002).all(), cell
