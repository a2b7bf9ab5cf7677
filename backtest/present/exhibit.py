"""An exhibit: what one command shows, section by section, on a page and on the screen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pandas as pd

from backtest.present.figure import Figure
from backtest.present.table import TextTable


@dataclass(frozen=True, eq=False)
class Section:
    """One question of an exhibit: a text, with tables, a figure, or sentences.

    Parameters
    ----------
    name : stem of its files and its place in the page; one word.
    heading : what the section shows. text : how it was computed, and what it does not say.
    table : numbers at full precision; written as <name>.csv with its index.
    brief : what is shown instead of a table too long to read.
    formats : column -> format such as '.1%' or ',.0f'; other columns are shown as they are.
    figure : shown above the tables; its name is that of its files.
    tables : shown in place of `table` and `brief`, where a frame cannot say it.
    terms : pairs of a term and what is said of it.
    sentences : a list of them.
    simulated : True where this section's numbers are simulated, whatever the prices are.
    on_screen : False where only the page has room for it.
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
    simulated: bool = False
    on_screen: bool = True

    def shown(self) -> tuple[TextTable, ...]:
        """The tables as they are read."""
        frame = self.table if self.brief is None else self.brief
        if self.tables or frame is None:
            return self.tables
        return (TextTable.of_frame(self.heading, frame, self.formats),)


class Origin(Protocol):
    """Where an exhibit's numbers come from: a name, a hash, facts to list, a table to store."""

    @property
    def name(self) -> str:
        """Name of the study."""

    @property
    def sha256(self) -> str:
        """Of what the numbers depend on."""

    def facts(self) -> list[tuple[str, str]]:
        """What it takes to get the same numbers."""

    def alarms(self) -> list[str]:
        """What a reader must see before any number: in red."""

    def to_json(self) -> dict[str, Any]:
        """What manifest.json holds."""


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
    provenance : where the numbers come from, and what is needed to get the same.
    text : the study file, verbatim.
    prices : one line under the title: where prices come from, which days were dropped.
    facts : what it takes to get the same numbers, beside the command; those of `provenance`
        unless given.
    failures : what the study demanded of its results and they do not hold; in red.
    """

    kind: str
    title: str
    caption: str
    simulated: bool
    standing: str
    sections: tuple[Section, ...]
    provenance: Origin
    text: str
    prices: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    failures: tuple[str, ...] = ()
