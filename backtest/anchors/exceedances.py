"""Tests of exceedances: likelihood ratios, regions and zones that others printed."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import numpy as np

from backtest.anchors.anchor import Anchor, AnchorSet, Known, part
from backtest.scores.exceedances.counts import (
    coverage_counts,
    independence_counts,
    kupiec_counts,
)
from backtest.scores.exceedances.coverage import kupiec_pvalues
from backtest.scores.exceedances.waiting import first_exceedance_on
from backtest.scores.exceedances.zones import traffic_light
from backtest.scores.result import TestResult

MATHWORKS = "MathWorks, documentation of varbacktest"
VALIDATION = "MathWorks, documentation of risk.validation.trafficLightVaRTest"
MATLAB = "alejandro-cermeno/2021_Market_Timing-Cerme-o, varbacktest_test, output of MATLAB"
JORION = "Jorion, Value at Risk, chapter 6"
QUESTION = f"{JORION}, question 10 (bionicturtle.com, thread 13424)"
KUPIEC = "Kupiec (1995), regions of no rejection at 95 %; Jorion, Value at Risk, table 6-2"
BASEL = "Basel Committee (1996), Supervisory framework for backtesting, table 2"
FRTB = "Basel Committee (2019), MAR32.9, table 1, as in ActiveViam's documentation"
# R adds logarithms of likelihoods in the thousands, which leaves ten digits of a ratio, and takes a
# p-value from one.
IN_R, CANCELLED = 2e-10, 2e-16


PARTS = (("", "statistic"), (": p-value", "pvalue"))
# What, source, function, the ratio and perhaps its p-value, the relative difference allowed.
Ratio = tuple[str, str, Callable[[], TestResult], tuple[str, ...], float | None]
RATIOS: tuple[Ratio, ...] = (
    (
        "Kupiec, 57 exceedances in 1,043 days at 95 %",
        f"{MATHWORKS}.pof",
        partial(kupiec_counts, 57, 1043, confidence=0.95),
        ("0.46147", "0.49694"),
        None,
    ),
    (
        "Kupiec, 17 in 1,043 at 99 %",
        f"{MATHWORKS}.pof",
        partial(kupiec_counts, 17, 1043, confidence=0.99),
        ("3.5118", "0.060933"),
        None,
    ),
    (
        "Christoffersen, transitions 932, 53, 53, 4",
        f"{MATHWORKS}.cci",
        partial(independence_counts, [932, 53, 53, 4]),
        ("0.25866", "0.61104"),
        None,
    ),
    (
        "conditional coverage, 57 in 1,043 at 95 %, the same transitions",
        f"{MATHWORKS}.cc",
        partial(coverage_counts, 57, 1043, [932, 53, 53, 4], confidence=0.95),
        ("0.72013", "0.69763"),
        None,
    ),
    (
        "time until the first exceedance, day 58 at 95 %",
        f"{MATHWORKS}.tuff",
        partial(first_exceedance_on, 58, confidence=0.95),
        ("1.7354", "0.18773"),
        None,
    ),
    (
        "Kupiec, 6 in 252 at 99 % (cut off there)",
        QUESTION,
        partial(kupiec_counts, 6, 252, confidence=0.99),
        ("3.498",),
        3e-4,  # cut off, not rounded
    ),
    (
        "Christoffersen, 6 in 252, of which 4 follow another",
        QUESTION,
        partial(independence_counts, [244, 2, 2, 4]),
        ("25.837",),
        None,
    ),
    *(
        (what, MATLAB, ask, (printed,), None)
        for what, ask, printed in (
            (
                "Kupiec, 166 in 1,703 at 99 %",
                partial(kupiec_counts, 166, 1703, confidence=0.99),
                "471.596309196609",
            ),
            (
                "Christoffersen, transitions 1467, 70, 69, 96",
                partial(independence_counts, [1467, 70, 69, 96]),
                "294.473896975476",
            ),
            (
                "conditional coverage, 166 in 1,703 at 99 %",
                partial(coverage_counts, 166, 1703, [1467, 70, 69, 96], confidence=0.99),
                "766.070206172084",
            ),
            (
                "Kupiec, 284 in 1,703 at 95 %",
                partial(kupiec_counts, 284, 1703, confidence=0.95),
                "311.998461569185",
            ),
            (
                "Christoffersen, transitions 1272, 147, 146, 137",
                partial(independence_counts, [1272, 147, 146, 137]),
                "197.952172065323",
            ),
            (
                "conditional coverage, 284 in 1,703 at 95 %",
                partial(coverage_counts, 284, 1703, [1272, 147, 146, 137], confidence=0.95),
                "509.950633634508",
            ),
        )
    ),
)

# Days, exceedances, transitions, confidence; Kupiec's ratio and p-value, those of both together.
IN_PACKAGES = (
    ("rugarch 1.4-9, VaRTest, its example", 1500, 9, (1481, 9, 9, 0), 0.99)
    + ("2.82934861252456", "0.0925558935277181", "2.93807410588357", "0.23014699789168"),
    ("rugarch 1.4-9, VaRTest, its example", 1500, 74, (1358, 67, 67, 7), 0.95)
    + ("0.0140945811337483", "0.905496714632898", "2.75687483239039", "0.251971972928112"),
    ("GAS 0.3.4, BacktestVaR, S&P 500", 5273, 275, (4746, 251, 251, 24), 0.95)
    + ("0.507483284327691", "0.476230357252127", "6.64525507803633", "0.0360579634676381"),
    ("rugarch 1.4-9, VaRTest, esback's data", 4527, 155, (4232, 139, 139, 16), 0.975)
    + ("14.2394329977256", "0.00016096203639826", "29.7546105801223", "3.4583457264592e-07"),
)

# Confidence, days, smallest and largest count that Kupiec's test does not reject, how known. Of no
# exceedance in 255 days the table says that it is not rejected, where its own formula has 5.13.
REGIONS: tuple[tuple[float, int, int | None, int, Known], ...] = (
    (0.99, 255, None, 6, "memory"),
    (0.99, 510, 2, 10, "memory"),
    (0.99, 1000, 5, 16, "quoted"),
    (0.975, 255, 3, 11, "memory"),
    (0.975, 510, 7, 20, "memory"),
    (0.975, 1000, 16, 35, "memory"),
    (0.95, 255, 7, 20, "quoted"),
    (0.95, 510, 17, 35, "quoted"),
    (0.95, 1000, 38, 64, "quoted"),
    (0.925, 255, 12, 27, "memory"),
    (0.925, 510, 28, 50, "memory"),
    (0.925, 1000, 60, 91, "memory"),
    (0.9, 255, 17, 35, "memory"),
    (0.9, 510, 39, 64, "memory"),
    (0.9, 1000, 82, 119, "memory"),
)
CUMULATIVE = (
    ("0.0811", "0.2858", "0.5432", "0.7581", "0.8922", "0.9588")
    + ("0.9863", "0.9960", "0.9989", "0.9997", "0.9999")
)  # fmt: skip
MULTIPLIERS = {4: "3.00", 5: "3.40", 6: "3.50", 7: "3.65", 8: "3.75", 9: "3.85", 10: "4.00"}
FRTB_MULTIPLIERS = {4: "1.50", 5: "1.70", 6: "1.76", 7: "1.83", 8: "1.88", 9: "1.92", 10: "2.00"}


def _ratios(rows: Iterable[Ratio]) -> Iterator[Anchor]:
    """Statistics, and their p-values where they are printed too."""
    for what, source, ask, printed, relative in rows:
        for value, name, key in zip(
            printed, ("", ": p-value"), ("statistic", "pvalue"), strict=False
        ):
            yield Anchor(
                f"{what}{name}",
                source,
                value,
                partial(part, ask, key),
                within=None if relative is None else relative * float(value) + CANCELLED,
                known="quoted" if source == QUESTION else "read",
            )


def _in_packages() -> Iterator[Ratio]:
    for source, days, count, moves, confidence, *printed in IN_PACKAGES:
        said = f"{count} in {days:,} at {100 * confidence:g} %"
        rate = partial(kupiec_counts, count, days, confidence=confidence)
        both = partial(coverage_counts, count, days, moves, confidence=confidence)
        yield f"Kupiec, {said}", source, rate, tuple(printed[:2]), IN_R
        yield f"conditional coverage, {said}", source, both, tuple(printed[2:]), IN_R


def _kept(confidence: float, days: int, place: int) -> float:
    """Smallest (0) or largest (-1) count that Kupiec's test does not reject at 5 %."""
    counts = np.arange(days // 4)
    panel = np.arange(days)[:, None] < counts
    kept = np.flatnonzero(kupiec_pvalues(panel, confidence=confidence) > 0.05)
    return float(kept[place])


def _regions() -> Iterator[Anchor]:
    for confidence, days, least, most, known in REGIONS:
        said = f"of {days:,} days at {100 * confidence:g} %"
        for place, size, printed in ((0, "fewest", least), (-1, "most", most)):
            if printed is None:
                continue
            yield Anchor(
                f"{size} exceedances {said} that Kupiec's test does not reject",
                KUPIEC,
                str(printed),
                partial(_kept, confidence, days, place),
                known=known,
            )


def _zones() -> Iterator[Anchor]:
    for count, printed in enumerate(CUMULATIVE):
        yield Anchor(
            f"probability of at most {count} in 250 at 99 %",
            f"{BASEL}, as OpenSourceRisk/Engine's tests quote it",
            printed,
            partial(part, partial(traffic_light, count, 250), "cumulative"),
            known="quoted",
        )
    for count, zone in ((4, "green"), (5, "yellow"), (9, "yellow"), (10, "red")):
        ask = partial(part, partial(traffic_light, count, 250), "zone")
        yield Anchor(f"zone of {count} in 250 at 99 %", BASEL, zone, ask, known="quoted")
    for source, table, name in (
        (BASEL, MULTIPLIERS, "basel_multiplier"),
        (FRTB, FRTB_MULTIPLIERS, "frtb_multiplier"),
    ):
        for count, printed in table.items():
            yield Anchor(
                f"multiplier of {count} in 250",
                source,
                printed,
                partial(part, partial(traffic_light, count, 250), name),
                known="quoted",
            )
    house = "cfrm17.github.io, Backtesting KPIs"
    for name, printed in (("yellow_from", "7"), ("red_from", "13")):
        yield Anchor(
            f"{name.replace('_', ' ')}, 750 days at 99.5 %",
            house,
            printed,
            partial(part, partial(traffic_light, 0, 750, confidence=0.995), name),
        )
    tl = f"{MATHWORKS}.tl"
    light = partial(traffic_light, 57, 1043, confidence=0.95)
    yield Anchor("zone of 57 in 1,043 at 95 %", tl, "green", lambda: light().zone)
    yield Anchor("probability of at most so many", tl, "0.77913", lambda: light().cumulative)
    yield Anchor("probability of at least so many", tl, "0.26396", lambda: light().type_one)
    amber = partial(traffic_light, 40, 250, confidence=0.9)
    yield Anchor(
        "number of the zone of 40 in 250 at 90 %",
        VALIDATION,
        "2",
        lambda: 1.0 + ("green", "yellow", "red").index(amber().zone),
    )
    jorion = f"{JORION} (bionicturtle.com, thread 6165)"
    yield Anchor(
        "more than 4 in 250 of a right model at 99 %, per cent",
        jorion,
        "10.8",
        lambda: 100.0 * traffic_light(5, 250).type_one,
        known="quoted",
    )
    yield Anchor(
        "at most 4 in 250 where 97 % is right, per cent",
        jorion,
        "12.8",
        lambda: 100.0 * traffic_light(4, 250, confidence=0.97).cumulative,
        known="quoted",
    )
    yield Anchor(
        "at most 24 in 1,000 at 99 %, per cent",
        "FRM practice question, pzacademy.com (qa 182447)",
        "99.996",
        lambda: 100.0 * traffic_light(24, 1000).cumulative,
    )


SETS = (
    AnchorSet(
        "Likelihood ratios of coverage",
        tuple(_ratios([*RATIOS, *_in_packages()])),
        note="From counts alone. rugarch and GAS print fifteen digits; rounding leaves ten.",
    ),
    AnchorSet("Kupiec's regions of no rejection", tuple(_regions())),
    AnchorSet("Zones and multipliers", tuple(_zones())),
)
