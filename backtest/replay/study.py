"""A finished study: requirement, collateral, losses and scores of every model and portfolio."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest.present.csv_table import read_csv, write_csv
from backtest.replay.coherence import as_written, check_coherent, refusal
from backtest.replay.daily import QUANTITIES
from backtest.replay.daily_table import daily_tables, read_daily, write_daily
from backtest.replay.own_days import Cohort, cohorts, of_equal_length, side_by_side
from backtest.replay.provenance import Provenance
from backtest.replay.scorecard import BLOCK, blocks
from backtest.replay.seal import change_message, changed_files, read_manifest, write_manifest
from backtest.replay.shown import study_html, study_text
from backtest.replay.worst import EVIDENCE, MOST_SHOWN, worst_rows
from backtest.types import (
    BoolArray,
    DaysByPortfolios,
    Progress,
    ResultsError,
    StudyError,
    unheard,
    within,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TABLES = (
    "summary.csv",
    "pooled.csv",
    "book.csv",
    "scores.parquet",
    "pooled.parquet",
    "daily.parquet",
)


@dataclass(frozen=True, eq=False)
class Study:
    """What `run` returns. Frames are (dates x portfolios), USD; NaN is 'not yet known'.

    Parameters
    ----------
    required, held, call, shortfall : a frame by model name. `required[t]` uses closes up to and
        including t and covers t -> t + MPOR; `held` is the collateral settled at t.
    loss : frame, loss of positions struck at t over the MPOR; > 0 is a loss; last rows NaN.
    scores : one row a (model, portfolio); see `summary`.
    pooled : one row a model: the single scale at which all books together keep the standard.
    exposure : USD (portfolios x instruments).
    provenance : everything needed to say where the numbers come from.
    """

    required: Mapping[str, pd.DataFrame]
    held: Mapping[str, pd.DataFrame]
    call: Mapping[str, pd.DataFrame]
    shortfall: Mapping[str, pd.DataFrame]
    loss: pd.DataFrame
    scores: pd.DataFrame
    pooled: pd.DataFrame
    exposure: pd.DataFrame
    provenance: Provenance

    @property
    def models(self) -> tuple[str, ...]:
        """Model names, in the order of the study."""
        return tuple(self.required)

    @property
    def simulated(self) -> bool:
        """True where the prices are not real history."""
        return self.provenance.data is not None and self.provenance.data.simulated

    @property
    def scored(self) -> pd.DatetimeIndex:
        """The days that are scored: every model has a requirement and the loss is known."""
        window = self.provenance.scored
        index = self.loss.loc[window.first_scored : window.last_scored].index
        return pd.DatetimeIndex(index)

    @property
    def overlap(self) -> int:
        """Rows of the market that the longest close-out spans.

        More than the MPOR on the 24/7 clock, where closed days lie between.
        """
        return self.provenance.held_to.overlap

    @cached_property
    def own(self) -> BoolArray | None:
        """(scored days, portfolios) False on days that an account has not; None where all have all.

        Only accounts of a given table (`validate`) have days of their own.
        """
        given = self.provenance.given
        if given is None or not given.own_days:
            return None
        known = self.loss.loc[self.scored].notna().to_numpy()
        for frame in self.required.values():
            known = known & frame.loc[self.scored].notna().to_numpy()
        return known

    def cohorts(self) -> list[Cohort]:
        """Portfolios grouped by their scored days: one group where all have all days."""
        if self.own is None:
            return [Cohort.whole(len(self.scored), self.loss.shape[1])]
        return cohorts(self.own)

    def summary(self) -> pd.DataFrame:
        """One row a (model, portfolio); all columns over the scored days, money in USD.

        exceedances: days with loss > required; breaches: days with loss > collateral at
        close-out; allowed: floor of observations x (1 - confidence). coverage_p tests 'the rate
        is at most 1 - confidence', by the test that coverage_test names, and is the verdict;
        kupiec_p and christoffersen_p are medians over the MPOR's phases, the columns `_min` their
        minima. A model that failed and was left out has rows without numbers, and a column
        `failed` says why.
        """
        failed = self.provenance.failed_models
        if not failed:
            return self.scores.copy()
        index = pd.MultiIndex.from_product(
            [list(failed), list(self.exposure.index)], names=self.scores.index.names
        )
        reasons = index.get_level_values("model").map(failed)
        empty = pd.DataFrame(np.nan, index=index, columns=self.scores.columns)
        rows = [self.scores.assign(failed=""), empty.assign(failed=reasons)]
        return pd.concat([table.astype(object) for table in rows])

    def tests(
        self, level: float = 0.05, *, draws: int = 499, progress: Progress = unheard
    ) -> pd.DataFrame:
        """One row a (model, portfolio): every test of exceedances, its p-value and its verdict.

        `coverage_p` comes first: it is the verdict, and the only one on all days. The others take
        days as independent, so they run on every n-th day, n the rows that the longest close-out
        spans (the MPOR, and more on the 24/7 clock), and show the median over the n starting days;
        see `backtest.scores.battery` for the columns and for `draws`. `progress` is told of them.
        """
        from backtest.scores import battery
        from backtest.scores.checks import BLOCK_CELLS

        days = self.scored
        parts: list[pd.DataFrame] = []
        loss = self.loss.loc[days].to_numpy()

        def scored_margin(model: str) -> DaysByPortfolios:
            return self.required[model].loc[days].to_numpy(dtype=np.float64)

        verdicts = self.scores["coverage_p"]
        groups = of_equal_length(self.cohorts())
        # All models of many books at once would be the most memory that a study takes; where they
        # are asked for once, each is let go before the next.
        margin_of = scored_margin if len(groups) == 1 else cache(scored_margin)
        count, done = len(groups) * len(self.models), 0
        for alike in groups:
            columns = np.concatenate([cohort.columns for cohort in alike])
            losses, names = side_by_side(alike, loss), self.loss.columns[columns]
            # Rows of one length share the law of each test: where accounts have days of their own,
            # reckoning it takes longer than to test them, and all models are tested together.
            at_once = max(1, BLOCK_CELLS // max(1, losses.size))
            for some in blocks(len(self.models), at_once):
                models = self.models[some]
                required = np.concatenate(
                    [side_by_side(alike, margin_of(model)) for model in models], axis=1
                )
                table = battery(
                    np.tile(losses, len(models)) > required,
                    required,
                    confidence=self.provenance.confidence,
                    horizon=self.overlap,
                    level=level,
                    draws=draws,
                    verdict_p=np.concatenate(
                        [verdicts.loc[[m]].to_numpy(dtype=np.float64)[columns] for m in models]
                    ),
                    progress=within(progress, "tests", done / count, (done + len(models)) / count),
                )
                index = pd.MultiIndex.from_product([models, names], names=self.scores.index.names)
                parts.append(table.set_axis(index, axis=0))
                done += len(models)
        return pd.concat(parts).loc[self.scores.index]

    def worst(self, n: int = MOST_SHOWN, *, by: str = EVIDENCE) -> pd.DataFrame:
        """The `n` rows of `summary` that matter most, as screens, pages and figures rank them.

        by : 'evidence', the smallest p-value of coverage, of equal ones the highest exceedance
            rate, then the largest shortfall; or a column of which the largest is worst.

        Raises
        ------
        StudyError : `n` below 1, or no such column.
        """
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
            raise StudyError(f"n is {n!r}; give a whole number, 1 or more.")
        return self.scores.loc[worst_rows(self.scores, int(n), by=by)]

    def plot(self, portfolio: str, model: str | Iterable[str] | None = None) -> "Figure":
        """Margin, loss and exceedances of one portfolio through time, under all models or some.

        Returns
        -------
        matplotlib's figure; `bt.charts.margin_against_loss` has the numbers and the words too.
        """
        from backtest.replay.figures.margin_against_loss import margin_against_loss

        return margin_against_loss(self, portfolio, model).draw().figure  # type: ignore[return-value]

    def to_frame(self) -> pd.DataFrame:
        """Tidy: one row a (date, model, portfolio) with required, held, call, shortfall, loss.

        Model and portfolio are categories: as text they would take more room than the numbers.
        """
        return pd.concat(daily_tables(self), ignore_index=True)

    def save(
        self, folder: str | Path, *, beside: Iterable[str] = (), progress: Progress = unheard
    ) -> Path:
        """Write summary.csv, pooled.csv, book.csv, scores.parquet, daily.parquet, manifest.json.

        The folder is created; files of an earlier save in it are replaced. The manifest holds the
        sha256 of every table, and `load` refuses one that has changed since.

        beside : names of files that are already in the folder and are to be sealed with the tables.
        progress : told of the stage 'writing'.

        Raises
        ------
        ResultsError : the folder cannot be written.
        """
        target = Path(folder)
        try:
            target.mkdir(parents=True, exist_ok=True)
            write_csv(self.summary(), target / "summary.csv")
            write_csv(self.pooled, target / "pooled.csv")
            write_csv(self.exposure, target / "book.csv", index_label="portfolio")
            self.scores.reset_index().to_parquet(target / "scores.parquet", index=False)
            self.pooled.reset_index().to_parquet(target / "pooled.parquet", index=False)
            write_daily(self, target / "daily.parquet", progress=progress)
            write_manifest(target, self.provenance, names=(*TABLES, *beside))
        except OSError as error:
            reason = error.strerror or error
            raise ResultsError(f"cannot write results to {str(target)!r}: {reason}.") from error
        return target

    @classmethod
    def load(cls, folder: str | Path) -> "Study":
        """The study that `save` wrote.

        Raises
        ------
        ResultsError : the folder holds no finished study, or a file of it was changed.
        """
        source = Path(folder)
        provenance, files = read_manifest(source)
        for name in changed_files(source, files):
            raise ResultsError(change_message(source, name))
        for name in TABLES:
            if name not in files:
                raise refusal(source, f"no {name}")
        with as_written(source):
            study = cls._of_tables(source, provenance)
            check_coherent(study, source)
        return study

    @classmethod
    def _of_tables(cls, source: Path, provenance: Provenance) -> "Study":
        """The study that the tables of a folder hold."""
        scores = pd.read_parquet(source / "scores.parquet").set_index(["model", "portfolio"])
        pooled = pd.read_parquet(source / "pooled.parquet").set_index("model")
        exposure = read_csv(source / "book.csv").set_index("portfolio")
        daily, loss = read_daily(
            source / "daily.parquet",
            list(scores.index.unique("model")),
            [str(name) for name in exposure.index],
            width=BLOCK,
        )
        return cls(
            **{name: daily.frames(name) for name in QUANTITIES},
            loss=loss,
            scores=scores,
            pooled=pooled,
            exposure=exposure,
            provenance=provenance,
        )

    def __repr__(self) -> str:
        return study_text(self)

    def _repr_html_(self) -> str:
        return study_html(self)
