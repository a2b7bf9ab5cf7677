"""An exhibit: what one command shows, section by section, on a page and on the screen."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import pandas as pd

from backtest.present.figure import Figure
from backtest.present.press import Press
from backtest.present.table import TextTable
from backtest.types import Progress, unheard


@dataclass(frozen=True, eq=False)
class Section:
    """One question of an exhibit: a text, with tables, a figure, or sentences.

    Parameters
    ----------
    name : stem of the section's files and its anchor in the page; one word.
    heading : what the section shows. text : how it was computed, and what it does not say.
    table : numbers at full precision; written as <name>.csv with its index.
    brief : shown instead of a table too long to read.
    formats : column -> format such as '.1%' or ',.0f'; other columns are shown as they are.
    figure : shown above the tables; its name is that of its files.
    tables : shown in place of `table` and `brief`, for a layout that a frame does not have.
    terms : pairs of a term and its explanation.
    sentences : shown as a list below the tables.
    source_line : days and files of this section's tables, in place of the exhibit's line; a table
        that has a line of its own keeps it.
    simulated : True where this section's numbers are simulated, whatever the prices are.
    on_screen : False for a section that only the page has room for.
    """

    name: str
    heading: str
    text: str = ""
    table: pd.DataFrame | None = None
    brief: pd.DataFrame | None = None
    formats: Mapping[str, str] = field(default_factory=dict)
    figure: Figure | None = None
    tables: tuple[TextTable, ...] = ()
    terms: tuple[tuple[str, str], ...] = ()
    sentences: tuple[str, ...] = ()
    source_line: str = ""
    simulated: bool = False
    on_screen: bool = True

    def text_tables(self) -> tuple[TextTable, ...]:
        """The tables that page, screen and record show, each with its own source line if any."""
        frame = self.table if self.brief is None else self.brief
        tables = self.tables
        if not tables and frame is not None:
            tables = (TextTable.of_frame(self.heading, frame, self.formats),)
        return tuple(
            replace(table, source_line=table.source_line or self.source_line) for table in tables
        )


class Origin(Protocol):
    """Where an exhibit's numbers come from.

    The provenance of a study is one; a protocol, since this room lies below that of studies.
    """

    @property
    def name(self) -> str:
        """Name of the study."""

    @property
    def sha256(self) -> str:
        """Hash of everything the numbers depend on."""

    def facts(self) -> list[tuple[str, str]]:
        """Names and values that a reader needs to get the same numbers."""

    def certificate(self) -> str:
        """What was checked of the models behind the numbers; empty where there are none."""

    def alarms(self) -> list[str]:
        """What a reader must see before any number: in red."""

    def to_json(self) -> dict[str, Any]:
        """Content of manifest.json."""


@dataclass(frozen=True, eq=False)
class Exhibit:
    """What one command shows.

    Parameters
    ----------
    kind : part of the results folder's name, after the study's.
    title : of the page. caption : one paragraph, what it is and what it is not.
    answer : what the page opens with, two or three sentences made from bounds and verdicts: the
        answer to its title, the strongest evidence against it, what it does not show.
    one_line : where this sentence is all there is to say, the screen prints it and no table.
    simulated : True where any level is not real history.
    source_line : one line under every table that has none of its own: source, window,
        observations, standard.
    sections : in the order in which they are read.
    provenance : where the numbers come from, and what is needed to get the same.
    text : the study file, verbatim.
    prices : one line under the title: where prices come from, which days were dropped.
    facts : names and values listed beside the command; empty takes those of `provenance`.
    failures : conditions of the study file that the results do not meet; in red.
    progress : told of the stage 'drawing' while figures are drawn and written.
    press : a process that writes a part of the figures' files.
    """

    kind: str
    title: str
    caption: str
    simulated: bool
    source_line: str
    sections: tuple[Section, ...]
    provenance: Origin
    text: str
    answer: tuple[str, ...] = ()
    one_line: str = ""
    prices: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    failures: tuple[str, ...] = ()
    progress: Progress = unheard
    press: Press | None = None
