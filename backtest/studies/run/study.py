"""From a study file and its prices to all numbers of a run."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from backtest.config.schema import StudyFile, build_simulator
from backtest.market.market import Market
from backtest.model.opened_files import recording
from backtest.offset import ladder_or_reason
from backtest.replay.distribution import Distribution
from backtest.replay.findings import Findings
from backtest.replay.forecasts import model_forecasts
from backtest.replay.kept import KeptBlocks, kept_blocks
from backtest.replay.monte_carlo import monte_carlo, path_market
from backtest.replay.origin import Prices
from backtest.replay.provenance import Provenance, digest
from backtest.replay.room import check_paths_fit
from backtest.replay.run import run
from backtest.replay.study import Study
from backtest.replay.worst import RULE, worst_books, worst_rows
from backtest.simulate.paths import refuse_own_days
from backtest.stress import StressResult
from backtest.studies.basis import basis_of
from backtest.studies.inputs import Inputs, read_inputs, result_of
from backtest.studies.ranked import Ranked
from backtest.studies.run.gates import gate_failure
from backtest.studies.run.stress import RunStress
from backtest.studies.run.sweep import treasury_share_sweep
from backtest.studies.run.verdict import named_portfolios
from backtest.types import Progress, StudyError


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run: the study, its findings, the offset ladder and the sweep.

    forecasts : `model_forecasts` of the named books on the scored days.
    kept : finished blocks of Monte Carlo, which a results folder replaces.
    stress : of the named books, where the study asks for a stress test or limits.
    """

    study: Study
    findings: Findings
    ladder: pd.DataFrame
    forecasts: pd.DataFrame
    sweep: pd.DataFrame | None
    distribution: Distribution | None
    config: StudyFile
    text: str
    kept: KeptBlocks | None = None
    stress: StressResult | None = None

    @property
    def explanations(self) -> dict[str, str]:
        """A line on each portfolio that the study file names."""
        return {name: book.explain for name, book in self.config.books.items()}

    @property
    def named_books(self) -> list[str]:
        """Portfolios that the study file names, in the study's order; the rest are random."""
        return named_portfolios(self.study, self.explanations)

    @property
    def ranked(self) -> Ranked:
        """The named books with most evidence against their coverage come first."""
        return Ranked(tuple(worst_books(self.study.scores, self.named_books)), RULE)

    @property
    def worst(self) -> pd.MultiIndex:
        """Rows (model, portfolio) of the books shown, the worst first."""
        rows = self.study.scores.index.isin(self.shown_books, level="portfolio")
        return worst_rows(self.study.scores[rows], None)

    @property
    def shown_books(self) -> list[str]:
        """The named books whose rows are shown: all, in the study's order, or the 20 worst."""
        return list(self.ranked.shown) if self.ranked.is_selection else self.named_books


def execute(
    study_file: Path | None,
    *,
    data: str | None = None,
    seed: int | None = None,
    n_jobs: int = 1,
    paths: int | None = None,
    path: int | None = None,
    isolate: bool = False,
    resume: Path | None = None,
    out: Path | None = None,
    progress: Progress,
) -> Run:
    """Read the study (the packaged default if None), run it, estimate the ladder and the sweep.

    data, seed : override what the file says; the manifest records what was used.
    paths : Monte Carlo histories of the study's simulator, over its named books; the file's own
        number unless given.
    path : replay this one path of the simulator instead of history, in full.
    isolate : run a user's models day by day in a process that holds only the past.
    resume : a folder of finished Monte Carlo blocks; what it holds is not computed again.
    out : where such a folder is made; without it blocks are not kept.
    """
    inputs = read_inputs(
        study_file,
        data=data,
        seed=seed,
        isolate=isolate,
        simulated=path is not None,
        progress=progress,
    )
    wanted = inputs.config.monte_carlo.paths if paths is None else paths
    # A replayed path is itself simulated: no further histories are drawn from it.
    keeping = _keeping(inputs, wanted if path is None else 0, resume, out, progress)
    with keeping as kept:
        return result_of(
            inputs,
            lambda inputs: _run_of(inputs, n_jobs, wanted, path=path, kept=kept, progress=progress),
        )


def _keeping(
    inputs: Inputs, paths: int, resume: Path | None, out: Path | None, progress: Progress
) -> AbstractContextManager[KeptBlocks | None]:
    """Where blocks of paths are kept; nowhere without paths, or without a place for them."""
    if resume is not None and not paths:
        raise StudyError("--resume goes on with Monte Carlo paths; say how many with --paths.")
    if out is None or not paths:
        return nullcontext()
    with recording(inputs.file_record):
        basis = basis_of(inputs)
    return kept_blocks(
        out, f"{inputs.config.name}_{digest(basis)[:8]}", basis, unit="paths", total=paths,
        resume=resume, progress=progress,
    )  # fmt: skip


def _run_of(
    inputs: Inputs,
    n_jobs: int,
    path_count: int,
    *,
    path: int | None,
    kept: KeptBlocks | None,
    progress: Progress,
) -> Run:
    """The study of `inputs` and everything that follows from it."""
    config, models = inputs.config, inputs.models
    simulator = build_simulator(config.monte_carlo.simulator)
    history = inputs.market
    if path_count or path is not None:
        refuse_own_days(inputs.market)
    check_paths_fit(path_count, len(models), len(inputs.named_book.portfolios))
    if path is not None:
        market = path_market(simulator, inputs.market, seed=config.seed, path=path)
        inputs = replace(inputs, market=market)
    test = RunStress.of(inputs, path)  # what it refuses is refused before the study runs
    coverage, terms = config.standard(), config.terms()
    study = run(
        inputs.market,
        inputs.book,
        models,
        coverage=coverage,
        account=terms,
        score_from=config.score_from,
        as_of=config.as_of,
        seed=config.seed,
        n_jobs=n_jobs,
        audit=list(config.books) or True,
        progress=progress,
    )
    ladder = _ladder(inputs, study, n_jobs, progress)
    forecasts = _forecasts(inputs, study, progress)
    sweep = _sweep(inputs, progress)
    stress = test.result(study, progress)
    distribution = None
    if path_count and path is None:
        distribution = monte_carlo(
            simulator,
            inputs.market,
            inputs.named_book,
            models,
            coverage=coverage,
            account=terms,
            paths=path_count,
            seed=config.seed,
            score_from=config.score_from,
            as_of=config.as_of,
            n_jobs=n_jobs,
            kept=kept,
            progress=progress,
        )
    # The offset ladder uses this model's margins even where the study does not score the model.
    sizing = inputs.audits(progress, only_sizing=True, stage="causality audit, sizing")
    provenance = _provenance(inputs, study, history, path_count, path)
    causality = study.provenance.causality | sizing
    study = replace(study, provenance=replace(provenance, causality=causality))
    return Run(
        study=study,
        findings=Findings.of(study, forecasts, progress=progress),
        ladder=ladder,
        forecasts=forecasts,
        sweep=sweep,
        distribution=distribution,
        config=config,
        text=inputs.text,
        kept=kept,
        stress=stress,
    )


def _ladder(inputs: Inputs, study: Study, n_jobs: int, progress: Progress) -> pd.DataFrame:
    """Supportable offset of every book on the study's scored days; bounds for the named books."""
    config = inputs.config
    ladder = ladder_or_reason(
        inputs.market,
        inputs.book,
        base=inputs.base,
        coverage=config.standard(),
        score_from=f"{study.scored[0]:%Y-%m-%d}",
        bounds=inputs.bounded,
        n_jobs=n_jobs,
        progress=progress,
    )
    return ladder.to_frame()


def _forecasts(inputs: Inputs, study: Study, progress: Progress) -> pd.DataFrame:
    """What the models forecast of the named books, on the study's scored days."""
    models, coverage = inputs.models, inputs.config.standard()
    forecasts = model_forecasts(
        models, inputs.market, inputs.named_book, coverage=coverage, progress=progress
    )
    return forecasts[forecasts["date"].isin(study.scored)].reset_index(drop=True)


def _sweep(inputs: Inputs, progress: Progress) -> pd.DataFrame | None:
    """Margins and offsets over the Treasury share of the pool; None if the study asks for none."""
    config = inputs.config
    if config.sweep is None:
        return None
    return treasury_share_sweep(
        inputs.market,
        inputs.models,
        config.sweep,
        base=inputs.base,
        coverage=config.standard(),
        account=config.terms(),
        liquidation=inputs.book.liquidation,
        score_from=config.score_from,
        progress=progress,
    )


def _provenance(
    inputs: Inputs, study: Study, history: Market, paths: int, path: int | None
) -> Provenance:
    """Where the study's numbers come from, with the hash of all they depend on, and its gates.

    history : the prices that a path is drawn from; its own last digits depend on the processor.
    """
    config = inputs.config
    failures = tuple(filter(None, (gate_failure(gate, study) for gate in config.gates)))
    causes = {
        "study": _numbers_only(config.resolved()),
        "path": path,
        "paths": paths,
        "levels": Prices.of(history).levels_sha256,
        **({"failed": sorted(inputs.failures)} if inputs.failures else {}),
        **({"opened": [f.sha256 for f in inputs.opened_files]} if inputs.file_record else {}),
    }
    return replace(
        inputs.described(study.provenance),
        sha256=digest(causes),
        paths=paths,
        path=path,
        failed_gates=failures,
    )


def _numbers_only(resolved: dict[str, Any]) -> dict[str, Any]:
    """The entries of a study that change numbers: no titles, captions or folder of the prices."""

    def without(table: dict[str, Any], *keys: str) -> dict[str, Any]:
        return {key: value for key, value in table.items() if key not in keys}

    books = {name: without(book, "explain", "short") for name, book in resolved["books"].items()}
    entries = without(resolved, "name", "title", "caption", "headline", "gates", "grid")
    return entries | {"data": without(resolved["data"], "source"), "books": books}
