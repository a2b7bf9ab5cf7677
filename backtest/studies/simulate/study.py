"""What simulators keep of a study's prices: every fact, family by family, beside false alarms."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtest.config.schema import StudyFile, build_simulator
from backtest.market.market import Market
from backtest.replay.origin import FileHash, Prices, Software
from backtest.replay.provenance import Provenance
from backtest.simulate import SIMULATORS, Simulator
from backtest.simulate.diagnostics import Diagnosis, diagnose
from backtest.simulate.own_losses import PATHS, own_losses
from backtest.simulate.paths import refuse_own_days
from backtest.studies.inputs import read_prices
from backtest.types import BacktestError, Progress, StudyError, shown, unheard, within

ALL = "all"
CHANCE = 0.05  # of a family: more facts lost than in all but this share of a simulator's own
ENOUGH = round(1.0 / CHANCE) - 1  # own histories; of fewer, all together are no such small share
WHOLE = "all facts"
MOST_PATHS, MOST_OWN = 10_000, 1_000  # half a gibibyte of facts of eleven factors
FOR_DATA = 0.3  # of a simulator's time, for its progress


@dataclass(frozen=True, eq=False)
class Judged:
    """One simulator: the facts of the data beside its paths, and what it loses of its own.

    own : as `own_losses` has it; None where none was asked for.
    """

    simulator: Simulator
    diagnosis: Diagnosis
    own: pd.DataFrame | None

    @property
    def families(self) -> pd.DataFrame:
        """Row a family, and one for all facts: how many are known, and kept, and by chance.

        `own_mean`, `own_least` : facts kept of the simulator's own histories, in the mean and at
        least, of `known`. `p` : share of those histories and the data that lose at least the share
        of facts that the data lose, the p-value of a simulation test; NaN without histories, and
        of a family of which the data determine nothing.
        """
        known, lost = _with_whole(self.diagnosis.known), _with_whole(self.diagnosis.lost)
        table = pd.DataFrame({"known": known, "kept": known - lost})
        table[["own_mean", "own_least", "p"]] = np.nan
        if self.own is None:
            return table
        own_known, own_lost = (_counts_of(self.own, what) for what in ("known", "lost"))
        shares = own_lost / own_known.where(own_known > 0)
        as_many = shares.ge(lost / known.where(known > 0), axis="columns").sum()
        table["own_mean"] = known * (1.0 - shares.mean())
        table["own_least"] = known * (1.0 - shares.max())
        table["p"] = ((1.0 + as_many) / (1.0 + len(self.own))).where(known > 0)
        return table

    @property
    def decided(self) -> bool:
        """Whether enough histories of its own were fitted for anything to lie beyond chance."""
        return self.own is not None and len(self.own) >= ENOUGH

    def family(self, name: str) -> dict[str, float]:
        """A row of `families`."""
        return {str(key): value for key, value in self.families.loc[name].to_dict().items()}

    @property
    def beyond_chance(self) -> list[str]:
        """Families of which more is lost than chance explains; none without own histories."""
        return [str(name) for name, row in self.families.iterrows() if row["p"] <= CHANCE]


@dataclass(frozen=True, eq=False)
class SimulateStudy:
    """What simulators keep of the prices of a study.

    Parameters
    ----------
    judged : by kind, the study's own among others as 'KIND (study)'.
    refused : the reason for those that cannot be compared.
    kinds : 'price' or 'yield' by factor. days : one-day moves of the data, and of every path.
    paths, histories : of each simulator.
    """

    judged: dict[str, Judged]
    refused: dict[str, str]
    kinds: dict[str, str]
    days: int
    paths: int
    histories: int
    text: str
    provenance: Provenance

    @property
    def facts(self) -> pd.DataFrame:
        """Row a (simulator, family, fact, of): as in `Diagnosis.facts`."""
        tables = {kind: one.diagnosis.facts for kind, one in self.judged.items()}
        return pd.concat(tables, names=["simulator"])

    @property
    def families(self) -> pd.DataFrame:
        """Row a (simulator, family): as in `Judged.families`."""
        tables = {kind: one.families for kind, one in self.judged.items()}
        return pd.concat(tables, names=["simulator", "family"])


def study_simulators(
    study_file: Path | None,
    *,
    data: str | None,
    simulator: str | None = None,
    paths: int = 200,
    histories: int = 19,
    seed: int | None = None,
    n_jobs: int = 1,
    progress: Progress = unheard,
) -> SimulateStudy:
    """Compare simulated histories with the prices of a study.

    Parameters
    ----------
    simulator : a kind, with its defaults; 'all' for every kind and the study's own; None for the
        study's own alone, with the parameters that it has there.
    histories : of its own that each simulator is fitted to anew; see `own_losses`.

    Raises
    ------
    StudyError : an unknown kind, or one that cannot be compared; with 'all', if none can.
    """
    _check_counts(paths, histories)
    config, text, market, files = read_prices(study_file, data=data, seed=seed, progress=progress)
    refuse_own_days(market)
    asked, judged, refused = _asked(config, simulator), {}, {}
    for kind, table in asked.items():
        stage = within(progress, kind, 0.0, 1.0)
        try:
            law = build_simulator(table)
            judged[kind] = _judge(kind, law, market, config.seed, paths, histories, n_jobs, stage)
        except BacktestError as error:
            if simulator != ALL:
                raise
            refused[kind] = str(error)
            progress(kind, 1.0)
    if not judged:
        raise StudyError(
            f"no simulator can be compared with these prices: {next(iter(refused.values()))}"
        )
    resolved = config.resolved()
    hashes = tuple(FileHash(file.name, file.sha256, file.read_as) for file in files)
    origin = Provenance(
        software=Software.now(),
        data=Prices.of(market),
        seed=config.seed,
        simulator=", ".join(repr(one.simulator) for one in judged.values()),
        paths=paths,
        details={"histories": histories, "paths of each history": PATHS},
    )
    return SimulateStudy(
        judged, refused, dict(zip(market.factors, map(str, market.kinds), strict=True)),
        len(market.dates) - 1, paths, histories, text,
        origin.of_study(resolved, hashes, asked, paths, histories),
    )  # fmt: skip


def _asked(config: StudyFile, simulator: str | None) -> dict[str, Mapping[str, Any]]:
    """Tables of the simulators to compare, by the name that they have here."""
    own = config.monte_carlo.simulator
    kind = str(own.get("kind"))
    if simulator is None:
        return {kind: own}
    if simulator != ALL:
        return {simulator: {"kind": simulator}}
    tables: dict[str, Mapping[str, Any]] = {name: {"kind": name} for name in SIMULATORS}
    # Of its kind with its defaults, the study's own would only be there twice.
    return ({f"{kind} (study)": own} if set(own) > {"kind"} else {}) | tables


def _judge(
    kind: str,
    law: Simulator,
    market: Market,
    seed: int,
    paths: int,
    histories: int,
    n_jobs: int,
    stage: Progress,
) -> Judged:
    split = FOR_DATA if histories else 1.0
    diagnosis = diagnose(
        law, market, paths=paths, seed=seed, n_jobs=n_jobs, progress=within(stage, "", 0.0, split)
    )
    low, high = diagnosis.facts["low"], diagnosis.facts["high"]
    if ((low == high) | low.isna()).all():  # NaN: facts that no path determines
        raise StudyError(
            f"{kind} draws the same path every time, so the data have no place among its paths; "
            "give it a base that draws, in the study's [monte_carlo]."
        )
    own = None
    if histories:
        own = own_losses(
            law, market, histories=histories, first=paths, seed=seed, n_jobs=n_jobs,
            progress=within(stage, "", split, 1.0),
        )  # fmt: skip
    return Judged(law, diagnosis, own)


def _with_whole(counts: pd.Series) -> pd.Series:
    return pd.concat([counts, pd.Series({WHOLE: counts.sum()})])


def _counts_of(own: pd.DataFrame, what: str) -> pd.DataFrame:
    """(histories, families) of `own_losses`, `what` of its blocks, and all facts together."""
    counts = own.loc[:, [what]].droplevel(0, axis=1)
    return counts.assign(**{WHOLE: counts.sum(axis=1)})


def _check_counts(paths: int, histories: int) -> None:
    for what, count, most in (("paths", paths, MOST_PATHS), ("histories", histories, MOST_OWN)):
        if count > most:
            raise StudyError(f"{what} is {shown(count)}; give at most {most:,}.")
