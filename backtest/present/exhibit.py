"""An exhibit: what one command shows, as tables, figures and a page, and how it is stored."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from backtest.present.figure import Figure, write_figures
from backtest.present.folder import written_aside
from backtest.present.numbers import MISSING


@dataclass(frozen=True, eq=False)
class Section:
    """One question of an exhibit: a text, with a table, a figure, or both.

    Parameters
    ----------
    name : stem of its files and its place in the page; one word.
    heading : what the section shows. text : how it was computed, and what it does not say.
    table : numbers at full precision; written as <name>.csv with its index.
    brief : what is shown instead of a table too long to read.
    formats : column -> format such as '.1%' or ',.0f'; other columns are shown as they are.
    figure : what is drawn, under the text.
    """

    name: str
    heading: str
    text: str
    table: pd.DataFrame | None = None
    brief: pd.DataFrame | None = None
    formats: Mapping[str, str] = field(default_factory=dict)
    figure: Figure | None = None

    def shown(self) -> pd.DataFrame:
        """The table (or its brief) as text, its index as its first columns.

        Examples
        --------
        >>> books = pd.Index(["a", "b"], name="book")
        >>> table = pd.DataFrame({"rate": [0.0123, float("nan")]}, index=books)
        >>> one = Section("one", "One", "", table, formats={"rate": ".1%"})
        >>> one.shown().to_numpy().tolist()
        [['a', '1.2%'], ['b', 'n/a']]
        """
        table = self.table if self.brief is None else self.brief
        if table is None:
            return pd.DataFrame()
        flat = table.reset_index(drop=not _is_named(table))
        return pd.DataFrame(
            {
                str(column): [
                    _as_text(value, self.formats.get(str(column), "")) for value in flat[column]
                ]
                for column in flat.columns
            },
            dtype=object,
        )


@dataclass(frozen=True, eq=False)
class Exhibit:
    """What one command shows.

    Parameters
    ----------
    kind : part of the results folder's name, after the study's.
    title : of the page. caption : one paragraph, what it is and what it is not.
    simulated : True where any level is not real history.
    standing : one line under every table: source, window, observations, standard.
    sections : in the order in which they are read.
    manifest : what is needed to get the same numbers; `study` (resolved) and `sha256` among it.
    text : the study file, verbatim.
    """

    kind: str
    title: str
    caption: str
    simulated: bool
    standing: str
    sections: tuple[Section, ...]
    manifest: dict[str, Any]
    text: str


def write_exhibit(exhibit: Exhibit, out: Path, *, command: str) -> Path:
    """Store an exhibit in `out/<UTC>_<study>-<kind>_<hash8>/`, complete or not there at all.

    Tables as CSV, figures as SVG, PDF, PNG and CSV, manifest.json, study.toml and report.html.

    Raises
    ------
    ResultsError : the folder cannot be written; nothing half-made is left behind.
    """
    from backtest.present.page import render_exhibit

    name = f"{exhibit.manifest['study']['name']}-{exhibit.kind}_{exhibit.manifest['sha256'][:8]}"
    with written_aside(out, name) as aside:
        folder = aside.folder
        manifest = exhibit.manifest | {"command": command, "written": aside.stamp}
        for section in exhibit.sections:
            if section.table is not None:
                section.table.to_csv(
                    folder / f"{section.name}.csv",
                    index=_is_named(section.table),
                    lineterminator="\n",
                )
        drawn = [section.figure for section in exhibit.sections if section.figure is not None]
        figures = write_figures(folder / "figures", drawn) if drawn else []
        (folder / "study.toml").write_text(exhibit.text, encoding="utf-8")
        described = json.dumps(manifest, indent=2, ensure_ascii=False, default=str)
        (folder / "manifest.json").write_text(described + "\n", encoding="utf-8")
        page = render_exhibit(exhibit, figures, manifest=manifest)
        (folder / "report.html").write_text(page, encoding="utf-8", newline="\n")
    return aside.final


def _is_named(table: pd.DataFrame) -> bool:
    """An index without a name only numbers the rows."""
    return any(name is not None for name in table.index.names)


def _as_text(value: Any, form: str) -> str:
    """A cell as it is read."""
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return MISSING
    text = format(value, form)
    # What rounds to zero has no sign.
    return text[1:] if text[:1] == "-" and not text.strip("-0.,%") else text
