"""One study file from prices to everything that a run finds."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from backtest.config.schema import StudyFile, build_simulator
from backtest.offset import ladder_or_reason
from backtest.replay.distribution import Distribution
from backtest.replay.findings import Findings
from backtest.replay.forecasts import model_forecasts
from backtest.replay.monte_carlo import monte_carlo, path_market
from backtest.replay.provenance import digest
from backtest.replay.run import run
from backtest.replay.study import Study
from backtest.simulate.paths import refuse_own_days
from backtest.studies.inputs import read_inputs
from backtest.studies.run.gates import gate_failure
from backtest.studies.run.sweep import treasury_share_sweep
from backtest.studies.run.verdict import named_portfolios
from backtest.types import Progress


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run: the study, what follows from it, its ladder and sweep, the failed gates.

    forecasts : `model_forecasts` of the named books on the scored days.
    """

    study: Study
    findings: Findings
    ladder: pd.DataFrame
    forecasts: pd.DataFrame
    sweep: pd.DataFrame | None
    distribution: Distribution | None
    config: StudyFile
    text: str
    failed_gates: tuple[str, ...]

    @property
    def named(self) -> list[str]:
        """Portfolios the study file names, in the study's order; the rest were drawn."""
        return named_portfolios(self.study, self.explains)

    @property
    def explains(self) -> dict[str, str]:
        """A line on each portfolio that the study file names."""
        return {name: book.explain for name, book in self.config.books.items()}


def execute(
    study_file: Path | None,
    *,
    data: str | None = None,
    seed: int | None = None,
    n_jobs: int = 1,
    paths: int | None = None,
    path: int | None = None,
    progress: Progress,
) -> Run:
    """Read the study (the packaged default if None), run it, estimate the ladder and the sweep.

    data, seed : override what the file says; the manifest records what was used.
    paths : Monte Carlo histories of the study's simulator, over its named books; the file's own
        number unless given.
    path : replay this one path of the simulator instead of history, in full.
    """
    inputs = read_inputs(study_file, data=data, seed=seed, progress=progress)
    config, market, book, base = inputs.config, inputs.market, inputs.book, inputs.base
    simulator = build_simulator(config.monte_carlo.simulator)
    many = config.monte_carlo.paths if paths is None else paths
    if many or path is not None:
        refuse_own_days(market)
    if path is not None:
        market = path_market(simulator, market, seed=config.seed, path=path)
    models, coverage, terms = config.margin_models(), config.standard(), config.terms()
    study = run(
        market,
        book,
        models,
        coverage=coverage,
        account=terms,
        score_from=config.score_from,
        seed=config.seed,
        n_jobs=n_jobs,
        progress=progress,
    )
    progress("offset ladder", 0.0)
    ladder = ladder_or_reason(
        market,
        book,
        base=base,
        coverage=coverage,
        score_from=f"{study.scored[0]:%Y-%m-%d}",
        bounds=list(config.books),
        seed=config.seed,
        n_jobs=n_jobs,
    ).to_frame()
    progress("offset ladder", 1.0)
    progress("forecasts", 0.0)
    named = book.select(list(range(len(config.books))))
    forecasts = model_forecasts(models, market, named, coverage=coverage)
    forecasts = forecasts[forecasts["date"].isin(study.scored)].reset_index(drop=True)
    progress("forecasts", 1.0)
    sweep = None
    if config.sweep is not None:
        progress("Treasury share", 0.0)
        sweep = treasury_share_sweep(
            market,
            models,
            **config.sweep.model_dump(),
            base=base,
            coverage=coverage,
            account=terms,
            seed=config.seed,
            liquidation=book.liquidation,
        )
        progress("Treasury share", 1.0)
    distribution = None
    if many and path is None:
        distribution = monte_carlo(
            simulator,
            market,
            named,
            models,
            coverage=coverage,
            account=terms,
            paths=many,
            seed=config.seed,
            score_from=config.score_from,
            n_jobs=n_jobs,
            progress=progress,
        )
    failed = tuple(filter(None, (gate_failure(g, study) for g in config.gates)))
    resolved = config.resolved()
    computed = {
        "study": _numbers_only(resolved),
        "path": path,
        "paths": many,
        "levels": study.provenance.prices.levels_sha256,
    }
    provenance = replace(
        study.provenance.of_study(resolved, inputs.hashes),
        sha256=digest(computed),
        paths=many,
        path=path,
        failed_gates=failed,
    )
    study = replace(study, provenance=provenance)
    return Run(
        study=study,
        findings=Findings.of(study, forecasts),
        ladder=ladder,
        forecasts=forecasts,
        sweep=sweep,
        distribution=distribution,
        config=config,
        text=inputs.text,
        failed_gates=failed,
    )


def _numbers_only(resolved: dict[str, Any]) -> dict[str, Any]:
    """The part of a study that numbers depend on: no titles, captions, or where prices lay."""
    kept = {k: v for k, v in resolved.items() if k not in ("name", "title", "caption", "gates")}
    kept["data"] = {k: v for k, v in resolved["data"].items() if k != "source"}
    kept["books"] = {
        name: {k: v for k, v in book.items() if k not in ("explain", "short")}
        for name, book in resolved["books"].items()
    }
    return kept
