"""What a simulator keeps of the data: facts of the history beside those of simulated paths."""

from dataclasses import dataclass

import joblib
import numpy as np
import pandas as pd

from backtest.market.market import Market
from backtest.simulate.own_facts import Fact, Moves, own_facts
from backtest.simulate.pair_facts import pair_facts
from backtest.simulate.paths import Paths, Simulator
from backtest.types import FloatArray, Progress, StudyError, unheard
from backtest.workers import in_parallel

LEVEL = 0.05  # on each side: a fact of the data is kept within 5 .. 95 % of the paths
FEWEST = 19  # paths: of fewer, less than 5 % lie on either side of all of them
BLOCK = 25  # paths a task
ROUNDING = 1e-9  # of a fact: two that differ by less are equal, and so is history to itself


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """Facts of the data beside their distribution over the paths of one simulator.

    Parameters
    ----------
    facts : a row a (family, fact, of): `data`, the mean over paths, their 5 % and 95 % quantiles
        (`low`, `high`), `rank`, the share of paths below the data's value, those equal to it
        counting half, and `kept`: 1 where the value lies within the quantiles, 0 where not, NaN
        where the data or some path does not determine the fact. `is_move` marks values in the unit
        of the factor's shocks.
    paths : whose facts these are.
    range_acted : mean share of days on which some yield stopped at its limit; where it is large
        the limits, not the simulator, made the facts.
    """

    facts: pd.DataFrame
    paths: int
    range_acted: float

    @property
    def lost(self) -> pd.Series:
        """By family, how many facts are lost."""
        return by_family(self.facts, self.facts["kept"] == 0.0)

    @property
    def known(self) -> pd.Series:
        """By family, how many facts the data and the paths determine."""
        return by_family(self.facts, self.facts["kept"].notna())


def by_family(facts: pd.DataFrame, marked: "pd.Series[bool]") -> pd.Series:
    """By family, in their order, how many facts are marked."""
    return marked.groupby(facts.index.get_level_values("family"), sort=False).sum()


def history_facts(market: Market) -> list[Fact]:
    """All facts of one history: those of each factor, then those of each pair.

    Examples
    --------
    >>> import backtest as bt
    >>> facts = history_facts(bt.load_market("sample", end="2017-12-31"))
    >>> list(dict.fromkeys(fact.family for fact in facts))[:3]
    ['moments', 'tails', 'clustering']
    """
    moves = Moves.of(market)
    with np.errstate(invalid="ignore", divide="ignore"):  # a factor that does not move has no skew
        return [*own_facts(market, moves), *pair_facts(market.factors, moves)]


def fact_values(market: Market) -> FloatArray:
    """(facts,) values of `history_facts`, one after the other."""
    return np.concatenate([values for _, _, _, values, _ in history_facts(market)])


def diagnose(
    simulator: Simulator,
    market: Market,
    *,
    paths: int = 200,
    seed: int = 0,
    n_jobs: int = 1,
    progress: Progress = unheard,
) -> Diagnosis:
    """Facts of the data beside their distribution over paths of the same length.

    Quantiles over paths are those under which one more path of the same law lies outside with a
    probability of 10 %, however many paths there are (position p (n + 1) in ascending order). So of
    many facts a tenth is lost by chance where the law is right and was not fitted to the data;
    `own_losses` measures what fitting makes of it.

    Raises
    ------
    StudyError : fewer than 19 paths; paths that are not as long as the data.

    Examples
    --------
    >>> import backtest as bt
    >>> market = bt.load_market("sample", end="2017-12-31")
    >>> found = diagnose(bt.StationaryBootstrap(block_size=20), market, paths=19)
    >>> float(found.facts.loc[("moments", "sd", "BTC"), "kept"])
    1.0
    """
    drawn = Paths.of(simulator, market, seed=seed)
    facts, acted = drawn_facts(drawn, range(check_count(paths)), n_jobs=n_jobs, progress=progress)
    return Diagnosis(judged(market, facts), paths, float(acted.mean()))


def check_count(paths: int) -> int:
    """A number of paths that has a 5 % quantile; StudyError for fewer."""
    if paths < FEWEST:
        raise StudyError(f"paths is {paths}; give {FEWEST} or more: fewer have no 5 % quantile.")
    return paths


def drawn_facts(
    drawn: Paths, numbers: range, *, n_jobs: int = 1, progress: Progress = unheard
) -> tuple[FloatArray, FloatArray]:
    """(paths, facts) of the paths of given numbers, and the share of days at a limit, (paths,)."""
    blocks = [numbers[i : i + BLOCK] for i in range(0, len(numbers), BLOCK)]
    tasks = (joblib.delayed(_block_facts)(block) for block in blocks)
    results = []
    progress("facts of paths", 0.0)
    for done, result in enumerate(in_parallel(tasks, n_jobs=n_jobs, shared=(drawn,)), start=1):
        results.append(result)
        progress("facts of paths", done / len(blocks))
    facts, acted = zip(*results, strict=True)
    return np.concatenate(facts), np.concatenate(acted)


def _block_facts(drawn: Paths, numbers: range) -> tuple[FloatArray, FloatArray]:
    facts, acted = [], []
    for number in numbers:
        path, share = drawn.path_and_range(number)
        if len(path.dates) != len(drawn.template.dates):
            raise StudyError(
                f"{drawn.label} draws {len(path.dates):,} days and the data have "
                f"{len(drawn.template.dates):,}; facts compare at equal length alone. Ask for the "
                "simulator that it is based on."
            )
        facts.append(fact_values(path))
        acted.append(share)
    return np.array(facts), np.array(acted)


def judged(market: Market, facts: FloatArray) -> pd.DataFrame:
    """The table of a `Diagnosis`: facts of a market beside those of paths, (paths, facts)."""
    of_data = history_facts(market)
    rows = [
        (fact.family, fact.name, subject, float(value), fact.is_move)
        for fact in of_data
        for subject, value in zip(fact.subjects, fact.values, strict=True)
    ]
    table = pd.DataFrame(rows, columns=["family", "fact", "of", "data", "is_move"])
    data = table["data"].to_numpy()
    low, high = np.quantile(facts, [LEVEL, 1.0 - LEVEL], axis=0, method="weibull")
    near = ROUNDING * np.maximum(np.abs(data), np.abs(facts).mean(axis=0))
    known = ~np.isnan(data) & ~np.isnan(facts).any(axis=0)
    below, equal = facts < data - near, np.abs(facts - data) <= near
    kept = (data >= low - near) & (data <= high + near)
    table["mean"], table["low"], table["high"] = facts.mean(axis=0), low, high
    table["rank"] = np.where(known, (below + 0.5 * equal).mean(axis=0), np.nan)
    table["kept"] = np.where(known, kept, np.nan)
    return table.set_index(["family", "fact", "of"])
