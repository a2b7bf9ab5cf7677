"""Backtests that other packages printed, of series that may not ship with this one.

Left out: rugarch's VaRloss, which smooths the indicator of an exceedance (a logistic of 250,000
times the distance from VaR) and so is another loss from the eighth digit on; its full Berkowitz
test, no likelihood ratio of one law; and what its VaRTest prints where likelihoods underflow.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from backtest.anchors.anchor import Anchor, AnchorSet, part
from backtest.anchors.golden import Held, Table, finite, json_of
from backtest.scores.exceedances.coverage import christoffersen_coverage, kupiec
from backtest.scores.exceedances.durations import weibull_duration
from backtest.scores.exceedances.dynamic_quantile import dynamic_quantile
from backtest.scores.forecasts.calibration import conditional_calibration
from backtest.scores.forecasts.density import (
    berkowitz_tail,
    shortfall_by_pit,
    shortfall_independence,
)
from backtest.scores.forecasts.expected_shortfall import mcneil_frey
from backtest.scores.forecasts.losses import fz0_loss, tick_loss
from backtest.scores.result import TestResult
from backtest.types import DataError, FloatArray

RUGARCH, GAS, ESBACK = "rugarch 1.4-9", "GAS 0.3.4, BacktestVaR", "esback 0.3.1"
TSTESTS = "tstests 1.0.2, shortfall_de_test"
DJI = "rugarch_dji30_AA_example.csv"
# Relative; R adds logarithms of likelihoods in the thousands, and gets a p-value from one less a
# probability. Its searches for the shape of spells and for a tail's normal law end early.
RATIO, PVALUE, CANCELLED, EARLY = 2e-10, 1e-7, 2e-16, 1e-5

Asked = tuple[str, str, tuple[str | int, ...], Callable[[], float], float]


@dataclass(frozen=True)
class Printed:
    """A file of JSON that says what another package printed."""

    path: Path

    @cached_property
    def content(self) -> dict[str, Any]:
        """All of it, numbers as they are printed."""
        content: dict[str, Any] = json_of(self.path, dict)
        return content

    def value(self, section: str, names: tuple[str | int, ...]) -> str | None:
        """A number by its place; None where the package printed none.

        Raises
        ------
        DataError : what is there is neither a number nor NaN.
        """
        found: Any = self.content.get(section)
        for name in names:
            try:
                found = found[name]
            except (KeyError, IndexError, TypeError):
                return None
        if found == "NaN":
            return None
        finite(found, f"{self.path.name}: {' / '.join(map(str, names))}")
        return str(found)

    def confidence(self) -> float:
        """The level of the forecasts."""
        inputs = self.content.get("inputs")
        rate = inputs.get("alpha") if isinstance(inputs, dict) else None
        return round(1.0 - finite(rate, f"{self.path.name}: alpha"), 9)

    def set_of(self, title: str, asked: Iterator[Asked], file: str, section: str) -> AnchorSet:
        """The anchors whose number was printed.

        Raises
        ------
        DataError : none was.
        """
        anchors = []
        for what, source, names, ask, within in asked:
            value = self.value(section, names)
            if value is not None:
                allowed = within * abs(float(value)) + CANCELLED
                anchors.append(Anchor(what, source, value, ask, within=allowed))
        if not anchors:
            raise DataError(f"{self.path.name} has no number under {section}; give the whole file.")
        return AnchorSet(title, tuple(anchors), file=file)


@dataclass(frozen=True, eq=False)
class Forecasts:
    """Losses and forecasts, (days,) each, losses positive."""

    loss: FloatArray
    value_at_risk: FloatArray
    expected_shortfall: FloatArray
    scale: FloatArray
    confidence: float

    @classmethod
    def read(cls, path: Path, confidence: float, level: str = "") -> "Forecasts":
        """From a file of returns, in which a forecast of a loss is negative.

        level : what the names of its columns end with, where it has several.
        """
        names = ("ret", f"var{level}", f"es{level}", "sigma")
        table = Table.read(path, names)
        columns = {
            name: np.array([table.number(place, row, name) for place, row in table])
            for name in names
        }
        loss, var, es, sigma = (columns[name] for name in names)
        return cls(-loss, -var, -es, sigma, confidence)

    @property
    def exceeded(self) -> FloatArray:
        """Days of exceedance."""
        return np.asarray(self.loss > self.value_at_risk, dtype=np.float64)

    def asked(self) -> Iterator[Asked]:
        """What rugarch, GAS and esback print of it, wherever they do."""
        level, out = {"confidence": self.confidence}, self.exceeded
        series = self.loss, self.value_at_risk, self.expected_shortfall
        rate = partial(kupiec, out, **level)
        both = partial(christoffersen_coverage, out, **level)
        spells = partial(weibull_duration, out)
        test, life = f"{RUGARCH}, VaRTest", f"{RUGARCH}, VaRDurTest"
        yield "exceedances", test, ("VaRTest", "actual.exceed"), lambda: float(out.sum()), 0.0
        for name, ask, short in (("Kupiec", rate, "uc"), ("conditional coverage", both, "cc")):
            yield from _pair(name, test, ask, ("VaRTest", f"{short}.LRstat"))
            yield from _pair(name, GAS, ask, ("GAS", f"LR{short}", 0))
        yield (
            "shape of spells", life, ("VaRDurTest", "b"), lambda: spells().estimates["b"], EARLY
        )  # fmt: skip
        yield "spells: p-value", life, ("VaRDurTest", "LRp"), lambda: spells().pvalue, PVALUE
        residuals = partial(mcneil_frey, *series)
        test = f"{RUGARCH}, ESTest"
        yield (
            "residuals of exceedances: p-value",
            test,
            ("ESTest", "p.value"),
            (lambda: residuals().pvalue),
            PVALUE,
        )
        tick = partial(tick_loss, *series[:2], **level)
        yield "tick loss", GAS, ("GAS", "QLoss"), lambda: float(tick().mean()), RATIO
        yield (
            "exceedances over expected",
            GAS,
            ("GAS", "AE"),
            (lambda: float(out.mean()) / (1.0 - self.confidence)),
            RATIO,
        )
        quantile = partial(
            dynamic_quantile,
            out,
            self.value_at_risk,
            confidence=self.confidence,
            loss=self.loss,
            variant="squared-loss",
        )
        for place in (0, "stat"):
            yield "dynamic quantile", GAS, ("GAS", "DQ", place), lambda: quantile().statistic, RATIO
        yield (
            "FZ0 loss",
            f"{ESBACK}, esback's own",
            ("FZ",),
            (lambda: float(fz0_loss(*series, **level).mean())),
            RATIO,
        )
        sides: tuple[tuple[Literal["two", "one"], str], ...]
        sides = (("two", "twosided"), ("one", "onesided"))
        for side, theirs in sides:
            for scale, form in ((None, "simple"), (self.scale, "general")):
                ask = partial(conditional_calibration, *series, scale=scale, side=side, **level)
                what = f"conditional calibration, {side}-sided, {form}: p-value"
                names = ("cc", f"pvalue_{theirs}_{form}")
                yield what, f"{ESBACK}, cc_backtest", names, partial(part, ask, "pvalue"), PVALUE


def _pair(
    what: str, source: str, ask: Callable[[], TestResult], names: tuple[str | int, ...]
) -> Iterator[Asked]:
    """A statistic and its p-value, whose place is the next."""
    last = names[-1]
    second = 1 if last == 0 else str(last).replace("LRstat", "LRp")
    yield what, source, names, lambda: ask().statistic, RATIO
    yield f"{what}: p-value", source, (*names[:-1], second), lambda: ask().pvalue, PVALUE


def _example(star: str, paths: list[Path]) -> AnchorSet:
    path, csv = paths
    printed = Printed(path)
    forecasts = Forecasts.read(csv, printed.confidence(), star)
    title = f"rugarch's example at {100 * forecasts.confidence:g} %"
    return printed.set_of(title, forecasts.asked(), path.name, "peer_printed")


def _forecasts(title: str, star: str, paths: list[Path]) -> AnchorSet:
    path, csv = paths
    printed = Printed(path)
    forecasts = Forecasts.read(csv, printed.confidence())
    return printed.set_of(title, forecasts.asked(), path.name, "peer_printed")


def _estimate(ask: Callable[[], TestResult], name: str) -> float:
    return ask().estimates[name]


def _pit(path: Path) -> FloatArray:
    table = Table.read(path, ("pit",))
    return np.array([table.number(place, row, "pit") for place, row in table])


def _berkowitz(star: str, paths: list[Path]) -> AnchorSet:
    """The tail test."""
    path, csv = paths
    source, tail = f"{RUGARCH}, BerkowitzTest", partial(berkowitz_tail, _pit(csv))

    def asked() -> Iterator[Asked]:
        yield "tail: likelihood ratio", source, ("tail", "LR"), lambda: tail().statistic, 1e-10
        yield "tail: p-value", source, ("tail", "LRp"), lambda: tail().pvalue, PVALUE
        for name, key in (("mean", "mu"), ("scale", "sigma")):
            yield f"tail: {name}", source, ("tail", key), partial(_estimate, tail, name), EARLY

    return Printed(path).set_of("Berkowitz's tail test", asked(), path.name, "peer_printed")


def _du_escanciano(star: str, paths: list[Path]) -> AnchorSet:
    path, csv = paths
    pit = _pit(csv)
    rate, calls = partial(shortfall_by_pit, pit), partial(shortfall_independence, pit)

    def asked() -> Iterator[Asked]:
        yield "unconditional", TSTESTS, ("z",), lambda: rate().statistic, RATIO
        yield "unconditional: p-value", TSTESTS, ("p_two_sided",), lambda: rate().pvalue, PVALUE
        yield "conditional, five lags", TSTESTS, ("C5",), lambda: calls().statistic, RATIO
        yield "conditional: p-value", TSTESTS, ("C5_p",), lambda: calls().pvalue, PVALUE

    title = "Du and Escanciano's tests of ES"
    return Printed(path).set_of(title, asked(), path.name, "expected")


HELD = (
    Held("rugarch's example", "rugarch_VaRTest_example_a*.json", lambda star: (DJI,), _example),
    Held(
        "S&P 500, VaR at 95 %",
        "sp500_normal_var95_full.json",
        lambda star: ("sp500_normal_var95_full.csv",),
        partial(_forecasts, "S&P 500, VaR at 95 %"),
    ),
    Held(
        "esback's forecasts at 97.5 %",
        "esback_risk_forecasts.json",
        lambda star: ("esback_risk_forecasts.csv",),
        partial(_forecasts, "esback's forecasts at 97.5 %"),
    ),
    Held("Berkowitz's tail test", "berkowitz_pit.json", lambda star: (DJI,), _berkowitz),
    Held(
        "Du and Escanciano's tests of ES",
        "du_escanciano_pit.json",
        lambda s: (DJI,),
        _du_escanciano,
    ),
)
