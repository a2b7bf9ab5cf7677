"""Write the tables of docs/simulators.md: `python -m tests.tools.write_simulators --data DIR`."""

import argparse
import re
import tempfile
from pathlib import Path

from backtest.present.numbers import percent
from backtest.studies.simulate.page import lost_words, said
from backtest.studies.simulate.study import CHANCE, WHOLE, SimulateStudy, study_simulators
from backtest.studies.simulate.words import (
    farthest,
    kept_words,
    simulator_name,
    study_line,
    value_of,
)
from tests.support.commands import quiet
from tests.support.places import ROOT

PAGE = ROOT / "docs" / "simulators.md"


def tables(folder: Path, *, n_jobs: int = 1) -> dict[str, list[str]]:
    """The lines of every table of the page, by the name of its place, of prices in a folder."""
    options = {"data": str(folder), "simulator": "all", "n_jobs": n_jobs, "progress": quiet}
    study = study_simulators(None, **options)
    (file,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "wide.toml"
        path.write_text(file)
        wide = study_simulators(path, **options)
    return {
        "families": _families(study),
        "claims": _claims(study),
        "refused": [f"- `{kind}`: {reason}" for kind, reason in study.refused.items()],
        "wide": _families(wide),
    }


def _families(study: SimulateStudy) -> list[str]:
    known = study.families["known"].groupby(level="family", sort=False).max()
    heads = [f"{'all' if name == WHOLE else name}, of {known[name]:.0f}" for name in known.index]
    rows = []
    for kind, judged in study.judged.items():
        cells = []
        for name in known.index:
            row = judged.family(name)
            kept, *others = kept_words(row, known[name]).split(" ")
            mark = "**" if row["p"] <= CHANCE else ""
            cells.append(" ".join([f"{mark}{kept}{mark}", *others]))
        limit = percent(judged.diagnosis.range_acted)
        rows.append([f"`{kind}`", *cells, limit])
    prices = study.provenance.prices
    source = f"{prices.sentence()}, {prices.span()}; {study_line(study)}."
    return [*_markdown(["simulator", *heads, "days at a limit"], rows), "", source]


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
    found = tables(given.data, n_jobs=given.n_jobs)
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")
