"""The result of `monte_carlo`: every score on every path, and models compared on the same paths."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtest.present.csv_table import write_csv
from backtest.replay.provenance import Provenance
from backtest.replay.shown import table_html
from backtest.scores.models.paired import JointRegion, distances
from backtest.scores.table import SCORES
from backtest.types import FloatArray, ResultsError, StudyError, tail_count

COLUMNS = tuple(score.name for score in SCORES if score.over_paths)
POOLED = ("scale", "mean_margin", "equal_coverage_margin", "worst_rate", "tenth_percentile_rate")

DIFFERENCES = ("exceedance_rate", "mean_margin", "excess_per_day")


@dataclass(frozen=True, eq=False)
class Distribution:
    """Scores of every path. NaN where a score has no value on a path (no exceedance, say).

    Parameters
    ----------
    scores : (paths, models, portfolios, COLUMNS). pooled : (paths, models, POOLED).
    range_acted : (paths,) share of days on which the sane range of yields stopped some yield.
    provenance : simulator, seed, the prices it was fitted to, models, versions.
    """

    models: tuple[str, ...]
    portfolios: tuple[str, ...]
    scores: FloatArray
    pooled: FloatArray
    range_acted: FloatArray
    provenance: Provenance

    def __repr__(self) -> str:
        paths, models, books = self.scores.shape[:3]
        return (
            f"<Distribution of {paths:,} paths, {models} models, {books} portfolios>\n"
            "Next: summary(), differences(model, against), score(column)"
        )

    def _repr_html_(self) -> str:
        columns = ["exceedances", "mean_margin", "exceedance_rate"]
        columns_shown = [f"{c}{edge}" for c in columns for edge in ("", "_low", "_high")]
        return "<p><strong>SIMULATED</strong> paths</p>" + table_html(self.summary()[columns_shown])

    def score(self, column: str) -> FloatArray:
        """(paths, models, portfolios) of one score.

        `excess_per_day` is the excess summed over exceedance days, per scored day (USD).
        """
        if column == "excess_per_day":
            mean = np.nan_to_num(self.score("mean_excess"))
            return mean * self.score("exceedances") / self.score("observations")
        if column not in COLUMNS:
            raise StudyError(f"unknown score {column!r}; known: {', '.join(COLUMNS)}.")
        return self.scores[..., COLUMNS.index(column)]

    def summary(self, *, level: float = 0.95) -> pd.DataFrame:
        """One row a (model, portfolio): mean and interval of every score over the paths.

        `<score>`, `<score>_low`, `<score>_high` over the paths on which it has a value; `missed`
        is the share of paths with more exceedances than allowed. The interval is the spread of
        histories, which more paths do not narrow, not the error of the mean.
        """
        edges = _edges(level)
        index = pd.MultiIndex.from_product(
            [self.models, self.portfolios], names=["model", "portfolio"]
        )
        out: dict[str, FloatArray] = {}
        for column in COLUMNS:
            draws = self.score(column).reshape(len(self.scores), -1)
            out[column] = _over_known(draws, lambda x: float(x.mean()))
            for name, edge in zip(("low", "high"), edges, strict=True):
                out[f"{column}_{name}"] = _over_known(draws, lambda x, q=edge: _quantile(x, q))
        # A path keeps the standard or not: the share that does not is no mean of exceedances.
        over = self.score("exceedances") > self.score("allowed")
        out["missed"] = over.mean(axis=0).ravel()
        return pd.DataFrame(out, index=index)

    def differences(self, model: str, against: str, *, level: float = 0.95) -> pd.DataFrame:
        """Paired differences `model` - `against` on the same paths, one row a portfolio.

        Both models lose on the same bad paths: the difference on each path is far less uncertain
        than the two means are. For the exceedance rate, the mean margin and the excess per day:
        mean difference, interval over paths, and the share of paths on which `model` has less.
        `dominates` is the share on which it has no more of all three and less of one.
        """
        first, second = (self._model(name) for name in (model, against))
        edges = _edges(level)
        out: dict[str, FloatArray] = {}
        gaps = []
        for column in DIFFERENCES:
            gap = self.score(column)[:, first] - self.score(column)[:, second]
            gaps.append(gap)
            out[column] = gap.mean(axis=0)
            for name, edge in zip(("low", "high"), edges, strict=True):
                out[f"{column}_{name}"] = _over_known(gap, lambda x, q=edge: _quantile(x, q))
            out[f"{column}_less"] = (gap < 0).mean(axis=0)
        # (differences, paths, portfolios); fewer is better in each of the three.
        joint = np.stack(gaps)
        dominates = (joint <= 0).all(axis=0) & (joint < 0).any(axis=0)
        out["dominates"] = dominates.mean(axis=0)
        return pd.DataFrame(out, index=pd.Index(self.portfolios, name="portfolio"))

    def joint_region(
        self, model: str, against: str, portfolio: str, *, level: float = 0.95
    ) -> JointRegion:
        """Ellipsoid of the paired differences that holds `level` of the paths.

        In (exceedance rate, mean margin, excess per day), `model` - `against`, paired by path. Its
        radius is an order statistic of the distance of each path from the ellipsoid of all others,
        so no law is assumed. It speaks of one more path, not of the mean: at 95 % it held 94.8 to
        96.7 % of new paths, for 20 to 1,000 paths of normal, t4 and lognormal differences
        (docs/intervals.md).

        Raises
        ------
        StudyError : unknown names, or fewer than 3 paths.
        """
        _edges(level)
        paths = len(self.scores)
        if paths < 3:
            raise StudyError(f"a joint region of {paths} paths; run 3 or more.")
        if portfolio not in self.portfolios:
            raise StudyError(f"unknown portfolio {portfolio!r}; known: {self.portfolios}.")
        first, second, p = (
            self._model(model),
            self._model(against),
            self.portfolios.index(portfolio),
        )
        # chdtri: the squared radius at which an ellipsoid of three normal variables holds `level`.
        pairs = np.column_stack(
            [self.score(c)[:, first, p] - self.score(c)[:, second, p] for c in DIFFERENCES]
        )
        center, covariance = pairs.mean(axis=0), np.cov(pairs.T)
        away = np.sort(_from_others(distances(pairs - center, covariance)))
        # One path more than there are: the rank at which a new path is inside as often as said.
        rank = min(tail_count(paths + 1, 1.0 - level), paths)
        return JointRegion(center, covariance, float(np.sqrt(away[rank - 1])))

    def frontier(self, *, level: float = 0.95) -> pd.DataFrame:
        """One row a model: all books pooled, the band of cost and coverage over paths.

        `scale` and `equal_coverage_margin` are +inf where some path has no scale that covers.
        """
        edges = _edges(level)
        rate = self.score("exceedance_rate").mean(axis=2)
        bands = {"exceedance_rate": rate}
        bands |= {column: self.pooled[:, :, i] for i, column in enumerate(POOLED)}
        out: dict[str, FloatArray] = {}
        for column, draws in bands.items():
            out[column] = draws.mean(axis=0)
            for name, edge in zip(("low", "high"), edges, strict=True):
                out[f"{column}_{name}"] = _over_known(draws, lambda x, q=edge: _quantile(x, q))
        return pd.DataFrame(out, index=pd.Index(self.models, name="model"))

    def to_frame(self) -> pd.DataFrame:
        """Tidy: one row a (path, model, portfolio), a column a score."""
        shape = self.scores.shape[:3]
        index = pd.MultiIndex.from_product(
            [range(shape[0]), self.models, self.portfolios], names=["path", "model", "portfolio"]
        )
        return pd.DataFrame(
            self.scores.reshape(-1, len(COLUMNS)), index=index, columns=list(COLUMNS)
        ).reset_index()

    def save(self, folder: str | Path) -> Path:
        """Write monte_carlo.csv (summary), frontier.csv, the scores by path, and provenance."""
        target = Path(folder)
        by_path = pd.DataFrame(
            self.pooled.reshape(len(self.pooled), -1),
            columns=[f"{model}|{name}" for model in self.models for name in POOLED],
        ).assign(range_acted=self.range_acted)
        try:
            target.mkdir(parents=True, exist_ok=True)
            write_csv(self.summary(), target / "monte_carlo.csv")
            write_csv(self.frontier(), target / "frontier.csv")
            self.to_frame().to_parquet(target / "monte_carlo.parquet", index=False)
            by_path.to_parquet(target / "monte_carlo_pooled.parquet", index=False)
            names = {"models": list(self.models), "portfolios": list(self.portfolios)}
            text = json.dumps({"names": names, "provenance": self.provenance.to_json()}, indent=2)
            (target / "monte_carlo.json").write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise ResultsError(f"cannot write results to {str(target)!r}: {error}.") from error
        return target

    @classmethod
    def load(cls, folder: str | Path) -> "Distribution | None":
        """What `save` wrote; None where the folder holds no Monte Carlo.

        Raises
        ------
        ResultsError : a file of it is missing or broken.
        """
        source = Path(folder)
        if not (source / "monte_carlo.json").exists():
            return None
        try:
            stored = json.loads((source / "monte_carlo.json").read_text(encoding="utf-8"))
            scores = pd.read_parquet(source / "monte_carlo.parquet")
            by_path = pd.read_parquet(source / "monte_carlo_pooled.parquet")
            models, portfolios = (tuple(stored["names"][n]) for n in ("models", "portfolios"))
            shape = (len(by_path), len(models))
            return cls(
                models=models,
                portfolios=portfolios,
                scores=scores[list(COLUMNS)].to_numpy().reshape(*shape, len(portfolios), -1),
                pooled=by_path.drop(columns="range_acted").to_numpy().reshape(*shape, -1),
                range_acted=by_path["range_acted"].to_numpy(),
                provenance=Provenance.from_json(stored["provenance"]),
            )
        except (OSError, ValueError, KeyError) as error:
            reason = str(error).splitlines()[0]
            raise ResultsError(
                f"the Monte Carlo of {str(source)!r} cannot be read ({reason}); run it again."
            ) from error

    def _model(self, name: str) -> int:
        if name not in self.models:
            raise StudyError(f"unknown model {name!r}; known: {', '.join(self.models)}.")
        return self.models.index(name)


def _from_others(squared: FloatArray) -> FloatArray:
    """Squared Mahalanobis distance of each draw from the mean and covariance of all others.

    squared : (draws,) those from the mean and covariance of all, the draw itself among them.

    Examples
    --------
    >>> x = np.array([0.0, 1.0, 5.0])
    >>> _from_others((x - 2.0) ** 2 / 7.0).round(6).tolist()  # (5 - 0.5)^2 / 0.5 for the last
    [1.125, 0.18, 40.5]
    """
    draws = len(squared)
    # A draw that alone spans a direction is infinitely far from the others.
    rest = 1.0 - draws * squared / (draws - 1) ** 2
    out = np.full(draws, np.inf)
    scale = (draws - 2) / (draws - 1) * (draws / (draws - 1)) ** 2
    np.divide(scale * squared, rest, out=out, where=rest > 1e-9)
    return out


def _edges(level: float) -> tuple[float, float]:
    if not 0.0 < level < 1.0:
        raise StudyError(f"level is {level}; give one inside (0, 1), such as 0.95.")
    return (1.0 - level) / 2.0, (1.0 + level) / 2.0


def _over_known(draws: FloatArray, statistic: Any) -> FloatArray:
    """A statistic of each column's values that are not NaN; NaN where there is none."""
    known_draws = [column[~np.isnan(column)] for column in draws.T]
    return np.array([statistic(x) if len(x) else np.nan for x in known_draws])


def _quantile(values: FloatArray, share: float) -> float:
    """Smallest value that `share` of the values do not exceed: infinities forbid interpolation."""
    rank = max(1, tail_count(len(values), 1.0 - share))
    return float(np.partition(values, rank - 1)[rank - 1])
