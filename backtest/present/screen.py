"""The screen: progress while a command works, then its tables and the folder of its files."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import fill

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from backtest.present.exhibit import Exhibit, Section
from backtest.present.table import TextTable
from backtest.types import Progress as Report

WIDTH = 156  # columns that keep every number whole; a narrower terminal folds the lines itself
HEAD = 16  # columns of a column head, which goes over several lines before numbers do
ALARM = "bold red"


class _PipeSafeConsole(Console):
    """A console that survives the end of its reader, as in `backtest run | head`."""

    def on_broken_pipe(self) -> None:
        """Print nothing more, so that the command still finishes and stores its results."""
        self.quiet = True
        # Python flushes stdout at its end and would fail again: the rest goes to the null device.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Screen:
    """A console that draws with rich on a terminal and prints plain lines elsewhere."""

    def __init__(self) -> None:
        terminal = _PipeSafeConsole()
        width = max(WIDTH, terminal.width) if terminal.is_terminal else WIDTH
        self.console = _PipeSafeConsole(width=width)

    @contextmanager
    def progress(self) -> Iterator[Report]:
        """A callback (stage, share done): a bar a stage on a terminal, a line a stage elsewhere."""
        if not self.console.is_terminal:
            stages: set[str] = set()

            def line(stage: str, share: float) -> None:
                if stage not in stages:
                    stages.add(stage)
                    self.console.print(f"... {stage}", highlight=False)

            yield line
            return
        bars = Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        )
        with bars:
            tasks: dict[str, TaskID] = {}

            def draw(stage: str, share: float) -> None:
                if stage not in tasks:
                    tasks[stage] = bars.add_task(stage, total=1.0)
                bars.update(tasks[stage], completed=share)

            yield draw

    def exhibit(self, exhibit: Exhibit, folder: Path) -> None:
        """Print an exhibit, and where its files are."""
        self.console.print(Text(exhibit.title, style="bold"))
        if exhibit.simulated:
            self.console.print(Text("SIMULATED prices: nothing below is history", style=ALARM))
        for sentence in exhibit.answer:
            self.console.print(Text(sentence))
        for line in filter(None, (exhibit.prices, exhibit.source_line)):
            self.console.print(Text(line))
        for section in exhibit.sections:
            if section.on_screen:
                self._section(section, simulated=exhibit.simulated or section.simulated)
        if exhibit.provenance.certificate():
            self.note(exhibit.provenance.certificate())
        if exhibit.caption:
            self.note(exhibit.caption)
        for failure in (*exhibit.provenance.alarms(), *exhibit.failures):
            self.console.print(Text(failure, style=ALARM))
        has_figures = any(section.figure is not None for section in exhibit.sections)
        files = "report.html, figures/" if has_figures else "report.html"
        self.console.print(Text(f"results: {folder}/  ({files})"))

    def note(self, text: str) -> None:
        """Print an explanation of the lines above it, in faint type."""
        self.console.print(Text(text), style="dim")

    def _section(self, section: Section, *, simulated: bool) -> None:
        tables = section.text_tables()
        # A table made from the section's own frame already has the heading as its title.
        if all(table.caption != section.heading for table in tables):
            self.console.print(Text(section.heading, style="bold underline"))
        for term, sentence in section.terms:
            self.console.print(Text.assemble((term, "bold"), f": {sentence}"))
        for table in tables:
            self.console.print(screen_table(table, simulated=simulated))
            if table.note:
                self.note(table.note)
        for text in (section.text, *section.sentences):
            if text:
                self.note(text)


def screen_table(table: TextTable, *, simulated: bool) -> Table:
    """A table for the screen; in a nested table each group's name has a line of its own."""
    screen = empty_table(table.caption, simulated=simulated)
    words = table.columns_of_words
    heads = table.heads or ("",) * len(words)
    # Groups and their rows share the first column: a column of group names would cost the width
    # that the numbers need.
    if table.nested:
        heads, words = (", ".join(heads[:2]), *heads[2:]), words[1:]
    for head, is_words in zip(heads, words, strict=True):
        # Where a table is too wide its widest column is folded first, which is that of names.
        screen.add_column(Text(fill(head, HEAD)), justify="left" if is_words else "right")
    for name, rows in table.groups:
        if table.nested:
            screen.add_row(Text(name, style="bold"))
        for place, row in enumerate(rows, start=1):
            cells = [Text(cell.text, style="bold" if cell.bold else "") for cell in row]
            first = Text.assemble("  ", cells.pop(0)) if table.nested else Text(name)
            screen.add_row(first, *cells, end_section=table.nested and place == len(rows))
    return screen


def empty_table(title: str, *, simulated: bool = False) -> Table:
    """A table without columns yet, as all tables on the screen look."""
    return Table(
        title=Text(f"SIMULATED. {title}" if simulated else title),
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
    )
