"""The screen: progress while a command works, then its tables and where the files are."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from backtest.cli import tables as printed
from backtest.cli.models import models_list
from backtest.data.cache import Entry
from backtest.data.history import said
from backtest.present.exhibit import Exhibit
from backtest.present.words import COST_WORDS
from backtest.replay.family import detectable_sentence, family_sentence, family_tests
from backtest.replay.study import Study
from backtest.replay.unverified import unverified_sentence
from backtest.studies.offset.study import OffsetStudy
from backtest.studies.run.content import forecasts_table
from backtest.studies.run.facts import fits_words
from backtest.studies.run.study import Outcome
from backtest.types import Progress as Report

WIDTH = 156  # columns that keep every number whole; a narrower terminal folds the lines itself

LISTED = 8  # dropped days named on screen; the manifest names all


class _Console(Console):
    """A console whose reader may leave (`| head`): the rest goes unseen, and the work goes on."""

    def on_broken_pipe(self) -> None:
        """Write nothing more; what is buffered goes nowhere."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Screen:
    """A console that draws with rich on a terminal and prints plain lines elsewhere."""

    def __init__(self) -> None:
        console = _Console()
        self.console = _Console(width=max(WIDTH, console.width) if console.is_terminal else WIDTH)

    @contextmanager
    def progress(self) -> Iterator[Report]:
        """A callback (what, share done): a bar a stage on a terminal, a line a stage elsewhere."""
        if not self.console.is_terminal:
            started: set[str] = set()

            def line(what: str, share: float) -> None:
                if what not in started:
                    started.add(what)
                    self.console.print(f"... {what}", highlight=False)

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

            def draw(what: str, share: float) -> None:
                if what not in tasks:
                    tasks[what] = bars.add_task(what, total=1.0)
                bars.update(tasks[what], completed=share)

            yield draw

    def outcome(self, outcome: Outcome, folder: Path) -> None:
        """Everything `backtest run` prints."""
        study, named = outcome.study, outcome.named
        self._heading(study, outcome.config.title)
        self.console.print(printed.scores_table(study, named))
        self.console.print(printed.pooled_table(study))
        if unverified := unverified_sentence(study):
            self._note(unverified)
        self._note(family_sentence(study, family_tests(study)))
        self._note(detectable_sentence(study))
        tested = outcome.tested_forecasts()
        if tested is not None:
            shown = forecasts_table(tested, named)
            self.console.print(printed.forecasts_table(shown, study))
            self._note(shown.notes)
        if fits := study.manifest["fits"]:
            said_of = "; ".join(f"{name} {fits_words(made)}" for name, made in fits.items())
            self._note(f"Likelihood fits: {said_of}.")
        ladder = outcome.ladder.loc[[p for p in outcome.ladder.index if p in named]]
        if len(ladder):
            self.console.print(
                printed.ladder_table(
                    ladder, simulated=study.simulated, note=printed.standard(study)
                )
            )
            self._note(printed.LADDER_NOTE)
        if outcome.distribution is not None:
            self.console.print(printed.distribution_table(outcome.distribution))
            acted = float(outcome.distribution.range_acted.mean())
            self._note(
                "Simulated paths say what else could have happened under the fitted law; they add "
                "no information beyond the exceedances that history holds (the ladder counts them, "
                "with their effective number). Yields were stopped at the edge of their range on "
                f"{acted:.2%} of days."
            )
        if outcome.config.caption:
            self._note(outcome.config.caption.strip())
        for failure in outcome.failed_gates:
            self.console.print(Text(f"gate failed: {failure}"), style="bold red")
        self.console.print(Text(f"results: {folder}/  (report.html, figures/, summary.csv)"))

    def offsets(self, found: OffsetStudy, folder: Path) -> None:
        """Everything `backtest offset` prints."""
        coverage = found.manifest["study"]["coverage"]
        note = (
            f"base {found.manifest['base']}; {coverage['confidence']:.1%}, "
            f"MPOR {coverage['mpor']} margin days"
            + (COST_WORDS if "liquidation" in found.manifest else "")
        )
        self.console.print(
            printed.ladder_table(found.ladder, simulated=found.market.simulated, note=note)
        )
        self._note(printed.LADDER_NOTE)
        self.console.print(printed.stressed_table(found, note))
        self.console.print(printed.just_covering_table(found, note))
        cost = found.just_covering.iloc[0]
        self._note(
            f"The correlation floors took {cost['marginings']:.0f} marginings, "
            f"{cost['seconds']:.1f} s; haircuts scale in one."
        )
        self.console.print(Text(f"results: {folder}/  (report.html, figures/, ladder.csv)"))

    def exhibit(self, exhibit: Exhibit, folder: Path) -> None:
        """Everything a command prints that shows an exhibit."""
        self.console.print(Text(exhibit.title, style="bold"))
        if exhibit.simulated:
            self.console.print(Text("SIMULATED prices: nothing below is history", style="bold red"))
        self.console.print(Text(exhibit.standing))
        for section in exhibit.sections:
            if section.table is not None:
                self.console.print(printed.section_table(section, simulated=exhibit.simulated))
            self._note(section.text)
        self._note(exhibit.caption)
        drawn = any(section.figure is not None for section in exhibit.sections)
        files = "report.html, figures/" if drawn else "report.html"
        self.console.print(Text(f"results: {folder}/  ({files})"))

    def models(self) -> None:
        """Everything `backtest models` prints."""
        for block in models_list():
            self.console.print(block)

    def cache(self, entries: Mapping[str, Entry]) -> None:
        """Everything `backtest list` prints, and `backtest fetch` at its end."""
        self.console.print(printed.cache_table(entries))
        for name, entry in entries.items():
            for rewrite in entry.rewrites:
                self._note(f"{name}: {said(rewrite)}; against {rewrite['against']}")
            for warning in entry.warnings:
                self._note(f"{name}: {warning}")

    def _heading(self, study: Study, title: str) -> None:
        """Title, data and window."""
        data, window = study.manifest["data"], study.manifest["window"]
        if title:
            self.console.print(Text(title, style="bold"))
        if study.simulated:
            self.console.print(Text("SIMULATED prices: nothing below is history", style="bold red"))
        self.console.print(
            Text(
                f"{data['source']}; {data['days']:,} margin days {data['first']} .. "
                f"{data['last']}, {_dropped(data['dropped'])}{_missing(data.get('missing', []))}; "
                f"scored {window['observations']:,} days "
                f"{window['first_scored']} .. {window['last_scored']}"
            )
        )

    def _note(self, text: str) -> None:
        self.console.print(Text(text), style="dim")


def _missing(days: list[str]) -> str:
    """Sessions of the study's calendar that have no data; nothing where there are none."""
    if not days:
        return ""
    listed = f" ({', '.join(days)})" if len(days) <= LISTED else ""
    return f", {len(days)} sessions without data{listed}"


def _dropped(days: list[str]) -> str:
    """Days dropped because some factor was unknown, listed while they fit on a line."""
    listed = f" ({', '.join(days)})" if 0 < len(days) <= LISTED else ""
    return f"{len(days)} dropped{listed}"
