"""What the terminal shows: progress, the table, the ladder, where the files are."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from .report.tables import counts, interval, millions, percent, pvalue
from .results import Study
from .workflow import Outcome

WIDTH = 132  # columns that keep every number whole; a narrower terminal folds the lines itself


class Screen:
    """A console that draws with rich on a terminal and prints plain lines elsewhere."""

    def __init__(self) -> None:
        console = Console()
        self.console = Console(width=max(WIDTH, console.width) if console.is_terminal else WIDTH)

    @contextmanager
    def progress(self) -> Iterator[Callable[[str, float], None]]:
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
            TextColumn("{task.description:<22}"),
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
        """Everything a run prints."""
        study = outcome.study
        self.heading(study, outcome.config.title)
        self.scores(study, outcome.named)
        self.pooled(study)
        self.ladder(
            outcome.ladder.loc[[p for p in outcome.ladder.index if p in outcome.named]],
            simulated=study.simulated,
            note=_standard(study),
        )
        if outcome.config.caption:
            self.console.print(Text(outcome.config.caption.strip()), style="dim")
        for failure in outcome.failed_gates:
            self.console.print(Text(f"gate failed: {failure}"), style="bold red")
        self.console.print(Text(f"results: {folder}/  (report.html, figures/, summary.csv)"))

    def heading(self, study: Study, title: str) -> None:
        """Title, data and window."""
        data, window = study.manifest["data"], study.manifest["window"]
        if title:
            self.console.print(Text(title, style="bold"))
        if study.simulated:
            self.console.print(Text("SIMULATED prices: nothing below is history", style="bold red"))
        self.console.print(
            Text(
                f"{data['source']}; {data['days']:,} margin days {data['first']} .. "
                f"{data['last']}, {data['dropped_count']} dropped; "
                f"scored {window['observations']:,} days "
                f"{window['first_scored']} .. {window['last_scored']}"
            )
        )

    def scores(self, study: Study, portfolios: list[str]) -> None:
        """Counts, verdict and cost of every named portfolio under every model."""
        table = _table(study.simulated, "Coverage and cost", _standard(study))
        table.add_column("portfolio, model", no_wrap=True)
        for header in (
            "exceedances",
            "coverage p",
            "breaches",
            "mean margin",
            "vs siloed",
            "equal coverage [95 %]",
            "max excess",
        ):
            table.add_column(header, justify="right", no_wrap=True)
        summary = study.summary()
        for portfolio in portfolios:
            table.add_row(Text(portfolio, style="bold"))
            for i, model in enumerate(study.models):
                row: Any = summary.loc[(model, portfolio)]
                table.add_row(
                    Text(f"  {model}"),
                    counts(row["exceedances"], row["allowed"]),
                    pvalue(row["coverage_p"]),
                    f"{row['breaches']:.0f}",
                    millions(row["mean_margin"]),
                    percent(row["saving_vs_siloed"]),
                    interval(row, "equal_coverage", millions),
                    millions(row["max_excess"]),
                    end_section=i == len(study.models) - 1,
                )
        self.console.print(table)

    def pooled(self, study: Study) -> None:
        """One scale a model over all books together."""
        table = _table(study.simulated, "All books pooled: one scale a model", _standard(study))
        for header in (
            "model",
            "scale [95 %]",
            "mean margin m",
            "equal-coverage m [95 %]",
            "10th-percentile book",
            "worst book",
        ):
            table.add_column(header, justify="left" if header == "model" else "right", no_wrap=True)
        for model in study.models:
            row: Any = study.pooled.loc[model]
            table.add_row(
                Text(model),
                f"{row['scale']:.2f} [{row['scale_low']:.2f}, {row['scale_high']:.2f}]",
                millions(row["mean_margin"]),
                interval(row, "equal_coverage", millions),
                percent(row["tenth_percentile_rate"], digits=2),
                percent(row["worst_rate"], digits=2),
            )
        self.console.print(table)

    def ladder(self, frame: pd.DataFrame, *, simulated: bool, note: str) -> None:
        """Total reduction and its two parts, for books held in several silos."""
        table = _table(simulated, "Offset ladder: point estimates at equal coverage", note)
        table.add_column("portfolio", no_wrap=True)
        for header in (
            "total",
            "diversification",
            "offset (dependence)",
            "raw",
            "exceedances",
            "USD by silo m",
        ):
            table.add_column(header, justify="right", no_wrap=True)
        silos = [str(c).removeprefix("usd_") for c in frame.columns if str(c).startswith("usd_")]
        for portfolio in frame.index:
            row: Any = frame.loc[portfolio]
            usd = {silo: row[f"usd_{silo}"] for silo in silos}
            held = ", ".join(f"{s} {millions(v)}" for s, v in usd.items() if pd.notna(v))
            shown = (
                [f"n/a: {row['reason']}", "", "", ""]
                if row["reason"]
                else [percent(row[c]) for c in ("total", "diversification", "dependence", "raw")]
            )
            table.add_row(Text(str(portfolio)), *shown, f"{row['exceedances']:.0f}", held)
        self.console.print(table)

    def models(self) -> None:
        """The registry: kind, parameters with defaults, what it is."""
        from strategies import MODELS

        from .tables import field_names

        table = Table(title="Margin models", title_justify="left")
        for header in ("kind", "parameters = defaults", "what it is"):
            table.add_column(header)
        for kind, cls in MODELS.items():
            default = cls()
            fields = [f"{name} = {getattr(default, name)!r}" for name in field_names(cls)]
            table.add_row(kind, Text("\n".join(fields)), (cls.__doc__ or "").split("\n")[0])
        self.console.print(table)


def _table(simulated: bool, title: str, note: str) -> Table:
    label = "SIMULATED. " if simulated else ""
    return Table(
        title=Text(f"{label}{title}; USD m ({note})"),
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
    )


def _standard(study: Study) -> str:
    coverage = study.manifest["coverage"]
    mpor = coverage["mpor"]
    days = set(mpor.values())
    shown = (
        f"{days.pop()} margin days"
        if len(days) == 1
        else ", ".join(f"{silo} {d} days" for silo, d in mpor.items())
    )
    return f"{coverage['confidence']:.1%} over {shown}; USD, " + (
        "constant, rebalanced daily" if study.manifest["rebalance"] == "daily" else "units held"
    )
