"""`backtest protect`: every model under every arrangement of the accounts of a study."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from backtest.clearing import Rules
from backtest.config.schema import StudyFile
from backtest.config.structure import StructureTable, build_structure
from backtest.parameters.sources import parameter_source
from backtest.replay.protection import Protection, protect
from backtest.replay.protection.sweep import Swept
from backtest.replay.protection.sweep import sweep as sweep_assumptions
from backtest.replay.provenance import Provenance
from backtest.stress import StressResult
from backtest.studies.inputs import Inputs, read_inputs, result_of
from backtest.studies.protect.answers import Answers
from backtest.studies.protect.cases import Cases, study_cases
from backtest.studies.protect.stress import protect_stress
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
    last_day : of the prices (ISO).
    swept : answers with each assumption at the ends of its range; None where that is not asked.
    """

    protection: Protection
    rules: Rules
    config: StudyFile
    answers: Answers
    cases: Cases | None
    text: str
    provenance: Provenance
    stress: StressResult | None
    last_day: str
    swept: Swept | None = None


def study_protection(
    study_file: Path | None,
    *,
    data: str | None,
    seed: int | None,
    isolate: bool = False,
    sweep: bool = False,
    progress: Progress,
) -> ProtectStudy:
    """Replay the accounts of a study under every model and arrangement.

    sweep : move every assumption to the ends of its range too.

    Raises
    ------
    StudyError : a study without a structure, or one that does not fit its accounts.
    """
    inputs = read_inputs(
        study_file, data=data, seed=seed, isolate=isolate, progress=progress, default=DEFAULT
    )
    return result_of(inputs, lambda inputs: _protection(inputs, progress, sweep=sweep))


def _protection(inputs: Inputs, progress: Progress, *, sweep: bool) -> ProtectStudy:
    """Every outcome of the study of `inputs`."""
    config, table = inputs.config, structure_table(inputs)
    structure = build_structure(table, config.beside).of(inputs.book)
    day: date | None = config.rule_day
    rules = Rules.of(day, pinned=table.parameters, stated=table.assumptions)
    protection = protect(
        inputs.market,
        inputs.book,
        inputs.models,
        structure,
        coverage=config.standard(),
        account=config.terms(),
        stated=table.payments == "account",
        arrangements=table.compared(),
        rules=rules,
        coordination=config.closeout.coordination,
        draws=table.draws,
        seed=config.seed,
        score_from=config.score_from,
        as_of=config.as_of,
        as_replayed=config.as_replayed,
        progress=progress,
    )
    origin = Provenance.of(
        inputs.market,
        inputs.book,
        inputs.models,
        coverage=config.standard(),
        seed=config.seed,
        window=protection.window,
        account=config.terms(),
        causality=inputs.audits(progress),
        details={
            "assumptions": rules.assumptions.model_dump(),
            "stated": list(rules.stated),
            "coordination": protection.coordination,
        },
    )
    files = {WHOSE: tuple(map(parameter_source, rules.versions))}
    origin = replace(origin, parameters=origin.parameters | files)
    cases = study_cases(inputs, protection, progress)
    setting = next(iter(protection.settings.values()))
    return ProtectStudy(
        protection,
        rules,
        config,
        Answers.of(protection, progress),
        cases,
        inputs.text,
        inputs.described(origin),
        protect_stress(inputs, setting, progress),
        str(inputs.market.dates[-1]),
        sweep_assumptions(protection, progress=progress) if sweep else None,
    )


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
