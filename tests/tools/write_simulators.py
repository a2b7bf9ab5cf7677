"""Write the tables of docs/simulators.md: `python -m tests.tools.write_simulators --data DIR`."""

import argparse
import re
from pathlib import Path

from backtest.present.numbers import percent
from backtest.studies.simulate.page import lost_words, said
from backtest.studies.simulate.study import CHANCE, WHOLE, SimulateStudy, study_simulators
from backtest.studies.simulate.words import farthest, simulator_name, study_line, value_of
from tests.support.commands import quiet
from tests.support.places import ROOT

PAGE = ROOT / "docs" / "simulators.md"


def of_prices(folder: Path, *, n_jobs: int = 1) -> SimulateStudy:
    """Every simulator on the prices of the packaged study in a folder, as the command has it."""
    return study_simulators(None, data=str(folder), simulator="all", n_jobs=n_jobs, progress=quiet)


def tables(study: SimulateStudy) -> dict[str, list[str]]:
    """The lines of every table of the page, by the name of its place."""
    return {
        "families": [*_families(study), "", f"{study.provenance.prices.sentence()}, "
                     f"{study.provenance.prices.span()}; {study_line(study)}."],
        "claims": _claims(study),
        "refused": [f"- `{kind}`: {reason}" for kind, reason in study.refused.items()],
    }  # fmt: skip


def _families(study: SimulateStudy) -> list[str]:
    families = list(study.families.index.unique("family"))
    known = next(iter(study.judged.values())).families["known"]
    heads = [f"{'all' if name == WHOLE else name}, of {known[name]:.0f}" for name in families]
    rows = []
    for kind, judged in study.judged.items():
        cells = []
        for name in families:
            row = judged.family(name)
            mark = "**" if row["p"] <= CHANCE else ""
            cells.append(f"{mark}{row['kept']:.0f}{mark} [{row['own_least']:.0f}]")
        limit = percent(judged.diagnosis.range_acted)
        rows.append([f"`{kind}`", *cells, limit])
    return _markdown(["simulator", *heads, "days at a limit"], rows)


def _claims(study: SimulateStudy) -> list[str]:
    rows = []
    for kind, judged in study.judged.items():
        (far,) = farthest(judged.diagnosis.facts, 1).to_dict("records")
        data, low, high = (value_of(far, name, study) for name in ("data", "low", "high"))
        off = f"{far['fact']} of {far['of']}: {data} in the data, {low} to {high} on paths"
        words = [said(judged, what) for what in ("keeps", "loses")]
        rows.append([simulator_name(kind), *words, lost_words(judged), off.replace("|", "\\|")])
    heads = ["simulator", "is said to keep", "is said to lose", "loses beyond chance"]
    return _markdown([*heads, "farthest off"], rows)


def _markdown(heads: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows)]


def written(page: str, places: dict[str, list[str]]) -> str:
    """The page with each table between the lines that name its place.

    Examples
    --------
    >>> written("<!-- table: a -->\\nold\\n<!-- end -->", {"a": ["new"]})
    '<!-- table: a -->\\nnew\\n<!-- end -->'
    """
    for name, lines in places.items():
        begin = f"<!-- table: {name} -->\n"
        if begin not in page:
            raise SystemExit(f"the page has no place for {name}: a line '{begin.strip()}'")
        text = begin + "\n".join(lines) + "\n<!-- end -->"
        page = re.sub(re.escape(begin) + r".*?<!-- end -->", lambda _, t=text: t, page, flags=re.S)
    return page


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--n-jobs", type=int, default=1)
    given = parser.parse_args()
    found = tables(of_prices(given.data, n_jobs=given.n_jobs))
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")
