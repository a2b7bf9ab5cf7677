"""`backtest protect --sweep`: a section on what assumptions move, and its numbers as CSV."""

import numpy as np
import pandas as pd

from backtest.replay.protection.sweep import Swept
from backtest.replay.protection.variations import variations
from backtest.studies.protect.sweep_section import sweep_section
from tests.support.commands import typed
from tests.support.protected import protection
from tests.support.structures import write_structured

# margin, fellow customers, mutual fund, uncovered, cover-2 of two arrangements.
HELD = np.array([[100.0, 4.0, 1.0, 0.0, 50.0], [60.0, 8.0, 1.0, 0.0, 40.0]])


def moved(term, end, there):
    (found,) = (
        v for v in variations(protection()) if v.term.endswith(f": {term}") and v.end == end
    )
    return found, np.array(there)


def test_the_section_has_falls_rises_and_places():
    lower = moved("resources", "low", HELD * [[1.0, 3.0, 1.0, 1.0, 1.0], [1.0, 1.0, 2.0, 1.0, 1.0]])
    still = moved("porting_days", "low", HELD)
    section = sweep_section(Swept("var", ("silos", "pool"), HELD, (lower, still)))
    (table,) = section.tables
    ((name, (cells,)),) = table.groups
    assert name == "resources"
    _, _, fellow, fund, cover, margin, places = (cell.text for cell in cells)
    assert (fellow, fund, cover, margin) == ("+200 %", "+100 %", "0 %", "0 %")
    assert places == "silos / pool" and "1 of 2 terms" in table.caption
    assert "porting days" in section.sentences[0]
    assert len(section.table) == 4


def test_from_nothing_is_said_so():
    more = moved("resources", "low", HELD + [[0.0, 0.0, 0.0, 5.0, 0.0]])
    held = HELD * [[1.0, 0.0, 1.0, 1.0, 1.0]]
    there = held + [[0.0, 5.0, 0.0, 0.0, 0.0]]
    section = sweep_section(Swept("var", ("silos", "pool"), held, ((more[0], there),)))
    assert section.tables[0].groups[0][1][0][2].text == "from nothing"


def test_the_command_writes_every_arrangement_at_every_end(tmp_path):
    write_structured(tmp_path)
    done = typed("protect", "study.toml", "--sweep", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (result,) = (tmp_path / "results").iterdir()
    table = pd.read_csv(result / "sweep.csv", index_col=["term", "end", "arrangement"])
    assert table.index.get_level_values("arrangement").nunique() == 6
    multiplier = table.xs("protection_assumed/2026: multiplier", level="term")
    assert (multiplier["margin_there"] > multiplier["margin"]).any()
    assert {"stated resources", "coordination"} <= set(table.index.get_level_values("term"))
    assert "change places" in (result / "report.html").read_text()
