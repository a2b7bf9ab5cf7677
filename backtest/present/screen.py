"""The screen: progress while a command works, then its tables and the folder of its files."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich import box
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from backtest.present.columns import INDENT, Sheet, facts, sheets
from backtest.present.exhibit import Exhibit, Section
from backtest.present.folding import fold
from backtest.present.numbers import UNBROKEN
from backtest.present.table import TextTable
from backtest.types import Progress as Report

WIDTH = 156  # columns of what is no terminal: a file or a pipe reads the same wherever it is made
LEAST = 40  # columns below which nothing is laid out; such a terminal folds the lines itself
WIDE, BAR = 100, 40  # columns from which a bar is as long as it looks best, and so long
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
        width = max(LEAST, terminal.width) if terminal.is_terminal else WIDTH
        self.console = _PipeSafeConsole(width=width)

    @contextmanager
    def progress(self) -> Iterator[Report]:
        """A callback (stage, share done): a bar a stage on a terminal, a line a stage elsewhere.

        What is told as done when it is first told is no stage but a fact, such as how a file was
        read: on a terminal it stays above the bars, which are gone at the end.
        """
        if not self.console.is_terminal:
            stages: set[str] = set()

            def line(stage: str, share: float) -> None:
                if stage not in stages:
                    stages.add(stage)
                    self.say(f"... {stage}")

            yield line
            return
        bars = Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(bar_width=BAR if self.console.width > WIDE else BAR // 2),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        )
        with bars:
            tasks: dict[str, TaskID] = {}
            told: set[str] = set()

            def draw(stage: str, share: float) -> None:
                if stage not in tasks and share >= 1.0:
                    if stage not in told:
                        told.add(stage)
                        self.note(stage)
                    return
                if stage not in tasks:
                    tasks[stage] = bars.add_task(stage, total=1.0)
                bars.update(tasks[stage], completed=share)

            yield draw

    def exhibit(self, exhibit: Exhibit, folder: Path) -> None:
        """Print an exhibit, and where its files are."""
        if exhibit.one_line:
            self.say(f"SIMULATED. {exhibit.one_line}" if exhibit.simulated else exhibit.one_line)
        else:
            self._whole(exhibit)
        for failure in (*exhibit.provenance.alarms(), *exhibit.failures):
            self.say(failure, style=ALARM)
        has_figures = any(section.figure is not None for section in exhibit.sections)
        files = [*_documents(folder), *(["figures/"] if has_figures else [])]
        self.line(f"results: {folder}/  ({', '.join(files)})")

    def _whole(self, exhibit: Exhibit) -> None:
        self.say(exhibit.title, style="bold")
        if exhibit.simulated:
            self.say("SIMULATED prices: nothing below is history", style=ALARM)
        for sentence in exhibit.answer:
            self.say(sentence)
        if exhibit.answer:
            self.console.print()
        for line in filter(None, (exhibit.prices, exhibit.source_line)):
            self.say(line)
        for section in exhibit.sections:
            if section.on_screen:
                self.console.print()
                self._section(section, simulated=exhibit.simulated or section.simulated)
        self.console.print()
        if exhibit.provenance.certificate():
            self.note(exhibit.provenance.certificate())
        if exhibit.caption:
            self.note(exhibit.caption)

    def say(self, text: str, *, style: str = "") -> None:
        """Print a text in lines of the screen's width, no number broken."""
        for line in fold(text, self.console.width):
            self.console.print(Text(line, style=style))

    def line(self, text: str) -> None:
        """Print a line: folded on a terminal, whole elsewhere, where programs read line by line."""
        if self.console.is_terminal:
            self.say(text)
        else:
            self.console.out(text, highlight=False)

    def item(self, name: str, text: str) -> None:
        """Print a text after a name, its further lines below its first."""
        first, *more = fold(text, self.console.width - cell_len(name) - 1)
        self.console.print(Text.assemble((name, "bold"), f" {first}"))
        for line in more:
            self.console.print(Text(f"{'':<{cell_len(name)}} {line}"))

    def note(self, text: str) -> None:
        """Print an explanation of the lines above it, in faint type."""
        self.say(text, style="dim")

    def table(self, table: TextTable, *, simulated: bool = False) -> None:
        """Print a table and its note, in parts where it is wider than the screen."""
        width = self.console.width
        caption = f"SIMULATED. {table.caption}" if simulated else table.caption
        parts = sheets(table, width)
        for number, part in enumerate(parts, start=1):
            place = f" ({number} of {len(parts)})" if len(parts) > 1 else ""
            place = place.replace(" of ", f"{UNBROKEN}of{UNBROKEN}")
            self.say(f"{caption}{place}", style="bold")
            self.console.print(drawn(part))
        if not parts:
            self.say(caption, style="bold")
            for line, is_name in facts(table, width):
                self.console.print(Text(line, style="bold" if is_name else ""))
        # The page's own line is at the top; only a table on other days needs one more.
        for line in filter(None, (table.source_line, table.note)):
            self.note(line)

    def _section(self, section: Section, *, simulated: bool) -> None:
        tables = section.text_tables()
        # A table made from the section's own frame already has the heading as its title.
        if all(table.caption != section.heading for table in tables):
            self.say(section.heading, style="bold underline")
        for term, sentence in section.terms:
            first, *more = fold(f"{term}: {sentence}", self.console.width)
            is_whole = first.startswith(f"{term}:")
            self.console.print(
                Text.assemble((term, "bold"), first[len(term) :]) if is_whole else Text(first)
            )
            for line in more:
                self.console.print(Text(line))
        for table in tables:
            self.table(table, simulated=simulated)
        for text in (section.text, *section.sentences):
            if text:
                self.note(text)


def drawn(part: Sheet) -> RenderableType:
    """The columns of one part, every cell folded to the width of its column."""
    screen = Table(box=box.SIMPLE_HEAD, padding=(0, 1), show_header=bool(part.heads))
    heads = part.heads or ("",) * len(part.widths)
    for head, width, left in zip(heads, part.widths, part.left, strict=True):
        screen.add_column(
            _cell(head, width), width=width, no_wrap=True, justify="left" if left else "right"
        )
    nested = any(row.group for row in part.rows)
    for row in part.rows:
        name, *others = row.cells
        indent = INDENT if nested and not row.group else ""
        lines = fold(name.text, part.widths[0] - len(indent))
        first = Text("\n".join(indent + line for line in lines), style=_weight(name.bold))
        cells = (
            _cell(cell.text, width, style=_weight(cell.bold))
            for cell, width in zip(others, part.widths[1:], strict=not row.group)
        )
        screen.add_row(first, *cells, end_section=row.last)
    return screen


def _cell(text: str, width: int, *, style: str = "") -> Text:
    return Text("\n".join(fold(text, width)), style=style)


def _weight(bold: bool) -> str:
    return "bold" if bold else ""


def _documents(folder: Path) -> list[str]:
    """What of a results folder is to be read; one page where the folder has no other."""
    kinds = (".docx", ".pdf", ".html")
    names = [f.name for f in sorted(folder.glob("*.*")) if f.suffix in kinds]
    return sorted(names, key=lambda name: kinds.index(Path(name).suffix)) or ["report.html"]
