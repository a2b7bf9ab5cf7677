"""`backtest power`: what tests of coverage can see in records of a given length."""

from collections.abc import Sequence

import pandas as pd

from backtest.present.exhibit import Exhibit, Section
from backtest.replay.origin import Software
from backtest.replay.provenance import Provenance, digest
from backtest.scores.alternatives import ALTERNATIVES
from backtest.scores.power import HISTORIES, critical_count, power_table, smallest_detectable
from backtest.studies.power.figures import power_of_tests
from backtest.types import Progress, StudyError

DAYS = (250, 500, 2196)  # a year, two, and the default study's record of real prices
LEVEL, POWER = 0.05, 0.8
SHORTEST = 20  # days: below, hardly any test has anything to work on
PANELS = 4  # lengths side by side in the figure
WORDS = {
    "right": "right rate (size)",
    "x1.5": "rate x 1.5",
    "x2": "rate x 2",
    "x3": "rate x 3",
    "clustered": "right rate, clustered",
    "overlap": "right rate, MPOR of 2",
    "overlap-x2": "rate x 2, MPOR of 2",
}
CAPTION = (
    "The right rate on independent days shows a test's size, to be read beside its nominal one; "
    "'clustered' exceedances come at the right rate on average, six times as often on a tenth of "
    "the days, in spells of 20 days; an MPOR of 2 makes losses overlap though every requirement is "
    "right. All tests run on all days: those that take days as independent reject overlap itself, "
    "which is why a study runs them on every H-th day. A test that is not identified does not "
    "reject. No prices enter."
)


def power_exhibit(
    days: Sequence[int],
    *,
    confidence: float,
    alternatives: Sequence[str],
    histories: int = HISTORIES,
    seed: int = 0,
    progress: Progress | None = None,
) -> Exhibit:
    """Size and power of every test, and the smallest miscoverage each length could show.

    Parameters
    ----------
    days : lengths of a record; none is `DAYS`. alternatives : names of `ALTERNATIVES` beside
        'right', which is always shown; none is all. histories, seed : of what is simulated.

    Raises
    ------
    StudyError : an unknown alternative, a length below 20 days, more than four lengths.
    """
    lengths = sorted(set(days or DAYS))
    unknown = [name for name in alternatives if name not in ALTERNATIVES]
    if unknown:
        raise StudyError(f"alternative {unknown[0]!r}; known: {', '.join(ALTERNATIVES)}.")
    if lengths[0] < SHORTEST or len(lengths) > PANELS:
        raise StudyError(
            f"records of {', '.join(map(str, lengths))} days; give at most {PANELS} lengths of "
            f"{SHORTEST} days or more."
        )
    chosen = {
        name: law
        for name, law in ALTERNATIVES.items()
        if name == "right" or not alternatives or name in alternatives
    }
    table = power_table(
        lengths,
        confidence=confidence,
        level=LEVEL,
        alternatives=chosen,
        histories=histories,
        seed=seed,
        progress=progress,
    )
    smallest = detectable_table(lengths, confidence=confidence)
    standing = (
        f"{confidence:.1%} coverage; {histories:,} records an alternative, seed {seed}; standard "
        f"error at most {0.5 / histories**0.5:.1%}, 0 where exact."
    )
    study = {
        "name": "coverage",
        "days": lengths,
        "confidence": confidence,
        "alternatives": list(chosen),
        "histories": histories,
        "seed": seed,
    }
    return Exhibit(
        kind="power",
        title="What tests of coverage can and cannot see",
        caption=CAPTION,
        simulated=False,
        standing=standing,
        sections=(*_sections(table, standing), _smallest(smallest)),
        provenance=Provenance(
            software=Software.now(), seed=seed, study=study, sha256=digest(study)
        ),
        text="".join(f"{key} = {_toml(value)}\n" for key, value in study.items()),
    )


def detectable_table(days: Sequence[int], *, confidence: float) -> pd.DataFrame:
    """Smallest true rates that records would have shown, on independent days and overlapping.

    Examples
    --------
    >>> detectable_table([250], confidence=0.99).round(4).to_numpy().tolist()
    [[6.0, 0.0314, 0.0437]]
    """
    rows = [
        {
            "rejected from": critical_count(n, confidence=confidence, level=LEVEL),
            "independent days": _detectable(n, confidence),
            "MPOR of 2, at worst": _detectable(n // 2, confidence),
        }
        for n in days
    ]
    return pd.DataFrame(rows, index=pd.Index(days, name="days"))


def _detectable(days: int, confidence: float) -> float:
    return smallest_detectable(days, confidence=confidence, level=LEVEL, power=POWER)


def _sections(table: pd.DataFrame, standing: str) -> tuple[Section, ...]:
    """The whole table with its figure, then a readable one for each length."""
    alternatives = list(table.index.unique("alternative"))
    whole = Section(
        name="power",
        heading="Records rejected",
        text=(
            "Share of records that each test rejects; the upright stroke is its nominal size. "
            "'Binomial, one-sided' and the zones are one-sided, as is coverage_p; Kupiec, "
            "'Christoffersen conditional', the dynamic quantile and GMM reject too few exceedances "
            "as well; 'Christoffersen independence' and Weibull look at the order of days alone."
        ),
        figure=power_of_tests(table, labels=WORDS, footnote=standing),
    )
    shown = []
    for days in table.index.unique("days"):
        here = table.loc[[days]].droplevel("days")
        columns = {"nominal": here.xs("right", level="alternative")["nominal"]} | {
            WORDS[name]: here.xs(name, level="alternative")["rejected"] for name in alternatives
        }
        wide = pd.DataFrame(columns)
        shown.append(
            Section(
                name=f"power_{days}",
                heading=f"{days:,} days",
                text="Share of records rejected.",
                table=wide,
                formats={str(column): ".1%" for column in wide.columns} | {"nominal": ".2%"},
            )
        )
    return whole, *shown


def _smallest(table: pd.DataFrame) -> Section:
    return Section(
        name="smallest_detectable",
        heading="The smallest miscoverage a record could have shown",
        text=(
            f"True rate at which the exact one-sided binomial test at {LEVEL:.0%} rejects with "
            f"probability {POWER:.0%}: on independent days, and on the half of them that an MPOR "
            "of 2 leaves independent at worst. 'Rejected from' is the count it takes."
        ),
        table=table,
        formats={"independent days": ".2%", "MPOR of 2, at worst": ".2%"},
    )


def _toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    return f'"{value}"' if isinstance(value, str) else f"{value}"
