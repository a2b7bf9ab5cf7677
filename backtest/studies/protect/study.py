"""`backtest protect`: every model under every arrangement of the accounts of a study."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from backtest.clearing import Rules, Structure
from backtest.config.schema import StudyFile, build_simulator
from backtest.config.structure import StructureTable, build_structure
from backtest.parameters.in_force import in_force
from backtest.parameters.sources import parameter_source
from backtest.replay.protection import Protection, protect
from backtest.replay.protection.fire_sale import fire_sale_table
from backtest.replay.protection.paths import ProtectedPaths, protect_paths
from backtest.replay.protection.sweep import Swept
from backtest.replay.protection.sweep import sweep as sweep_assumptions
from backtest.replay.provenance import Provenance
from backtest.replay.room import check_paths_fit
from backtest.simulate.paths import refuse_own_days
from backtest.stress import StressResult
from backtest.studies.inputs import Inputs, read_inputs, result_of
from backtest.studies.protect.answers import Answers
from backtest.studies.protect.arranged import ArrangedStress
from backtest.studies.protect.cases import Cases, check_mandate, study_cases
from backtest.studies.protect.stress import arranged_stress, protect_stress
from backtest.types import Progress, StudyError

DEFAULT = "customers-and-houses"
WHOSE = "structure"  # the name under which the structure's own parameter files are listed


@dataclass(frozen=True, eq=False)
class ProtectStudy:
    """Results of `backtest protect`.

    Parameters
    ----------
    protection : outcomes by (model, arrangement), in the order of the study.
    rules : what is assumed, whose it is, and what regimes and waterfalls say.
    config, text : the study file, as tables and verbatim.
    answers : its tables.
    cases : the same in dollars a year; None where nothing is compared with separate silos.
    stress : of the accounts and firms, where the study asks for a stress test or limits.
    arranged : the same by arrangement, through close-out and waterfall.
    swept : answers with each assumption at the ends of its range; None where that is not asked.
    paths : outcomes on simulated histories; None where that is not asked.
    fire_sale : losses with one round of feedback; None where that is not asked.
    """

    protection: Protection
    rules: Rules
    config: StudyFile
    answers: Answers
    cases: Cases | None
    text: str
    provenance: Provenance
    stress: StressResult | None
    arranged: ArrangedStress | None = None
    swept: Swept | None = None
    paths: ProtectedPaths | None = None
    fire_sale: pd.DataFrame | None = None


def study_protection(
    study_file: Path | None,
    *,
    data: str | None,
    seed: int | None,
    isolate: bool = False,
    sweep: bool = False,
    paths: int | None = None,
    n_jobs: int = 1,
    progress: Progress,
) -> ProtectStudy:
    """Replay the accounts of a study under every model and arrangement.

    sweep : move every assumption to the ends of its range too.
    paths : simulated histories beside the real one; the file's own number unless given. n_jobs :
        workers of theirs.

    Raises
    ------
    StudyError : a study without a structure, or one that does not fit its accounts.
    """
    inputs = read_inputs(
        study_file, data=data, seed=seed, isolate=isolate, progress=progress, default=DEFAULT
    )
    count = inputs.config.monte_carlo.paths if paths is None else paths
    return result_of(
        inputs, lambda inputs: _protection(inputs, count, n_jobs, progress, sweep=sweep)
    )


def _protection(
    inputs: Inputs, paths: int, n_jobs: int, progress: Progress, *, sweep: bool
) -> ProtectStudy:
    """Every outcome of the study of `inputs`."""
    config, table = inputs.config, structure_table(inputs)
    if paths:
        refuse_own_days(inputs.market)
        check_paths_fit(paths, len(inputs.models), len(inputs.book.portfolios))
    check_mandate(config, inputs.book, inputs.models)
    structure = build_structure(table, config.beside).of(inputs.book)
    rules = Rules.of(config.rule_day, pinned=table.parameters, stated=table.assumptions)
    asked = _asked(config, table, rules, progress)
    protection = protect(
        inputs.market,
        inputs.book,
        inputs.models,
        structure,
        as_replayed=config.as_replayed,
        **asked,
    )
    simulated = _simulated(inputs, structure, paths, n_jobs, asked) if paths else None
    origin = _origin(inputs, protection, rules, paths, progress)
    return ProtectStudy(
        protection,
        rules,
        config,
        Answers.of(protection, progress),
        study_cases(inputs, protection, progress),
        inputs.text,
        inputs.described(origin, *([{"paths": paths}] if paths else [])),
        protect_stress(inputs, next(iter(protection.settings.values())), progress),
        arranged_stress(inputs, protection, progress),
        sweep_assumptions(protection, progress=progress) if sweep else None,
        simulated,
        fire_sale_table(protection, progress=progress) if table.fire_sale else None,
    )


def _asked(
    config: StudyFile, table: StructureTable, rules: Rules, progress: Progress
) -> dict[str, Any]:
    """What history and simulated histories are asked alike: arguments of `protect`."""
    return {
        "coverage": config.standard(),
        "account": config.terms(),
        "stated": table.payments == "account",
        "arrangements": table.compared(),
        "rules": rules,
        "coordination": config.closeout.coordination,
        "draws": table.draws,
        "seed": config.seed,
        "score_from": config.score_from,
        "as_of": config.as_of,
        "progress": progress,
    }


def _simulated(
    inputs: Inputs, structure: Structure, paths: int, n_jobs: int, asked: dict[str, Any]
) -> ProtectedPaths:
    """The same on paths of the study's simulator."""
    day = inputs.config.rule_day
    assert day is not None  # which is set as soon as prices are read
    return protect_paths(
        build_simulator(inputs.config.monte_carlo.simulator),
        inputs.market,
        inputs.book,
        # Days of a path are no dates: a model that replays its rules has those of one day.
        {name: in_force(model, day, throughout=True) for name, model in inputs.models.items()},
        structure,
        paths=paths,
        n_jobs=n_jobs,
        **asked,
    )


def _origin(
    inputs: Inputs, protection: Protection, rules: Rules, paths: int, progress: Progress
) -> Provenance:
    """Where the numbers come from; the structure is a user of rules beside the models."""
    config = inputs.config
    origin = Provenance.of(
        inputs.market,
        inputs.book,
        inputs.models,
        coverage=config.standard(),
        seed=config.seed,
        window=protection.window,
        account=config.terms(),
        fits={n: margin.fits for n, margin in protection.margined.margins.items() if margin.fits},
        causality=inputs.audits(progress),
        simulator=repr(build_simulator(config.monte_carlo.simulator)) if paths else None,
        paths=paths,
        details={
            "assumptions": rules.assumptions.model_dump(),
            "stated": list(rules.stated),
            "coordination": protection.coordination,
        },
    )
    files = {WHOSE: tuple(map(parameter_source, rules.versions))}
    return replace(origin, parameters=origin.parameters | files)


def structure_table(inputs: Inputs) -> StructureTable:
    """The structure of a study.

    Raises
    ------
    StudyError : the study has none.
    """
    table = inputs.config.structure
    if table is None:
        raise StudyError(
            f"study {inputs.config.name!r} has no [structure], so nobody knows who carries its "
            "accounts; add one, as docs/structure.md shows."
        )
    return table
