"""How often each test errs, and how often it sees: the tables of docs/statistics.md.

python -m tests.tools.statistics_study prints them (one core, about ten minutes).
"""

import numpy as np
import pandas as pd

from backtest import scores
from backtest.scores.forecasts.density import shortfall_by_pit
from backtest.scores.forecasts.expected_shortfall import tail_of
from backtest.types import BoolArray, FloatArray

SEED, LEVEL = 17, 0.05
RECORDS, HISTORIES, DRAWS = 600, 500, 99
STUDENT = 4.0
Series = tuple[FloatArray, FloatArray, FloatArray]  # losses, VaR, ES


def independent(rng: np.random.Generator, days: int, rate: float) -> BoolArray:
    return np.asarray(rng.random(days) < rate)


def clustered(rng: np.random.Generator, days: int, rate: float, after: float = 0.2) -> BoolArray:
    """A Markov chain: the right rate, but a chance of `after` on the day after an exceedance."""
    calm = rate * (1.0 - after) / (1.0 - rate)
    record, drawn = np.zeros(days, dtype=np.bool_), rng.random(days)
    record[0] = drawn[0] < rate
    for day in range(1, days):
        record[day] = drawn[day] < (after if record[day - 1] else calm)
    return record


WORLDS = {
    "right": independent,
    "twice the rate": lambda rng, days, rate: independent(rng, days, 2.0 * rate),
    "clustered": clustered,
}


def record_table(world: str, days: int, confidence: float) -> pd.DataFrame:
    """Shares rejected, % of records, and not identified, by test: chi-squared and small-sample."""
    rng, shares = np.random.default_rng(SEED), {}
    made = [WORLDS[world](rng, days, 1.0 - confidence)[:, None] for _ in range(RECORDS)]
    moving = np.exp(0.1 * np.cumsum(rng.standard_normal((days, 1)), axis=0))
    for name, draws in (("chi2", 0), ("small", DRAWS)):
        tables = [
            scores.battery(record, moving, confidence=confidence, draws=draws, seed=i)
            for i, record in enumerate(made)
        ]
        table = pd.concat(tables).filter(like="_p").rename(columns=lambda c: c.removesuffix("_p"))
        # At 5 % the p-values k / 100 of 99 draws must be allowed to equal the level.
        shares[name] = 100.0 * (table <= LEVEL).mean()
        unknown = 100.0 * table.isna().mean()
    return pd.DataFrame({**shares, "not identified": unknown}).round(1)


def severity_pvalues(series: Series, freedom: float | None, seed: int) -> dict[str, float]:
    """P-values of the tests of ES on one history, `freedom` as the model has it."""
    calibrated = scores.conditional_calibration
    ask = {"draws": 499, "seed": seed}
    return {
        "Z1": scores.acerbi_szekely(*series, which="Z1", freedom=freedom, **ask).pvalue,
        "Z2": scores.acerbi_szekely(*series, freedom=freedom, **ask).pvalue,
        "Z2, normal null": scores.acerbi_szekely(*series, **ask).pvalue,
        "minimally biased": scores.minimally_biased(*series, **ask).pvalue,
        "McNeil-Frey, normal": scores.mcneil_frey(*series).pvalue,
        "McNeil-Frey, resampled": scores.mcneil_frey(*series, **ask).pvalue,
        "Nolde-Ziegel, two": calibrated(*series).pvalue,
        "Nolde-Ziegel, one (esback)": calibrated(*series, side="one").pvalue,
        "Nolde-Ziegel, under-coverage": calibrated(*series, side="under-coverage").pvalue,
        "regression of ES": scores.shortfall_regression(*series, draws=199, seed=seed).pvalue,
        "e-backtest of ES": scores.monitor_shortfall(*series).pvalue,
        "e-backtest of coverage": scores.monitor_coverage(
            series[0] > series[1], confidence=0.975
        ).pvalue,
    }


def density_pvalues(pit: FloatArray, freedom: float | None, seed: int) -> dict[str, float]:
    return {
        "Z3": scores.shortfall_by_rank(pit, freedom=freedom, draws=499, seed=seed).pvalue,
        "Du-Escanciano U, one-sided": shortfall_by_pit(pit, tail=0.025).estimates["one_sided_p"],
        "Du-Escanciano U": shortfall_by_pit(pit, tail=0.025).pvalue,
        "Du-Escanciano C(5)": scores.shortfall_independence(pit, tail=0.025).pvalue,
        "Berkowitz": scores.berkowitz(pit).pvalue,
        "Berkowitz tail": scores.berkowitz_tail(pit, tail=0.025).pvalue,
        "PIT histogram": scores.pit_histogram(pit).pvalue,
    }


def severity_table(
    days: int, freedom: float | None, *, es: float = 1.0, scale: float = 1.0
) -> pd.DataFrame:
    """Shares rejected and not identified, %: forecasts of ES times `es`, all times `scale`."""
    from scipy import stats

    law = stats.norm() if freedom is None else stats.t(freedom)
    quantile, shortfall = tail_of(0.025, freedom)
    rows = []
    for i in range(HISTORIES):
        rng = np.random.default_rng([SEED, i])
        sigma = np.exp(0.3 * np.sin(np.arange(days) / 40.0))  # known: the model follows it
        loss = sigma * law.rvs(days, random_state=rng)
        forecast = scale * sigma
        series = loss, quantile * forecast, es * shortfall * forecast
        pit = law.cdf(-loss / forecast)
        rows.append(severity_pvalues(series, freedom, i))
        if es == 1.0:
            rows[-1] |= density_pvalues(np.clip(pit, 1e-15, 1 - 1e-15), freedom, i)
    table = pd.DataFrame(rows)
    return pd.DataFrame({"%": 100 * (table <= LEVEL).mean(), "n.i.": 100 * table.isna().mean()})


SEVERITY = {
    "normal, right": {"freedom": None},
    "t(4), right": {"freedom": STUDENT},
    "normal, all 20 % too small": {"freedom": None, "scale": 0.8},
    "t(4), ES alone 20 % too small": {"freedom": STUDENT, "es": 0.8},
}


def main() -> None:
    for world in WORLDS:
        tables = {
            (days, confidence): record_table(world, days, confidence)
            for days, confidence in ((250, 0.99), (1000, 0.99), (1000, 0.95))
        }
        print(f"\n{world}: % rejected at 5 % of {RECORDS} records")
        print(pd.concat(tables, axis=1).to_string())
    tables = {
        (name, days): severity_table(days, **case)
        for name, case in SEVERITY.items()
        for days in (250, 1000)
    }
    print(f"\nES and densities: % rejected at 5 % of {HISTORIES} histories")
    print(pd.concat(tables, axis=1).round(1).to_string())


if __name__ == "__main__":
    main()
