"""Small real studies that the tests of figures and report share; computed once."""

import functools
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

import backtest as bt
import strategies as st
from backtest import charts
from backtest.clearing import Rules
from backtest.config.schema import StudyFile
from backtest.config.sections import BookTable, SweepTable
from backtest.offset import granted_and_supported, specification_curve, stressed_ladder
from backtest.present.figure import Figure
from backtest.present.store import write_page
from backtest.replay.distribution import COLUMNS, Distribution
from backtest.replay.findings import Findings
from backtest.replay.origin import Software
from backtest.replay.provenance import Provenance
from backtest.scores.power import ALTERNATIVES, power_table
from backtest.stress import Backing, StressPlan, StressResult, stress_test
from backtest.studies.clocks.figures import WEEKDAYS
from backtest.studies.closeout.study import CloseoutStudy, estimate_closeout
from backtest.studies.collateral.study import CollateralStudy, study_collateral
from backtest.studies.offset.steps_by_day import steps_by_day
from backtest.studies.offset.study import OffsetStudy
from backtest.studies.protect.answers import Answers
from backtest.studies.protect.arranged import ArrangedStress
from backtest.studies.protect.study import ProtectStudy
from backtest.studies.run.page import run_exhibit
from backtest.studies.run.study import Run, execute
from backtest.studies.run.sweep import treasury_share_sweep
from backtest.studies.simulate.study import SimulateStudy, study_simulators
from tests.support.markets import random_market
from tests.support.protected import protected

FOREIGN = (
    "\u66f8 \u0643\u062a\u0627\u0628 \U0001f600 \U0001f680"  # the type lacks the first and the last
)
HOSTILE = "<script>alert(1)</script>"
BOOKS = {
    "long BTC, long 10Y, with a name that goes on for longer than any label": {
        "UST10Y": 5e7,
        "BTC": 5e6,
    },
    HOSTILE: {"UST10Y": -5e7, "BTC": 5e6},
    "$a$ & 'b' \"c\"": {"UST10Y": 8e7, "UST5Y@CME": -8e7},
    f"Treasuries only {FOREIGN}": {"UST2Y": 5e7, "UST10Y": 5e7},
    "random 01": {"UST2Y": 5e7, "ETH": -5e6},
}
LONG = next(iter(BOOKS))
OFFSET_BOOKS = {
    LONG: {"UST10Y": 5e7, "BTC": 5e6},
    "WWWWWWWWWWWWWWWWWWWWWWWWWWW WWWWWWWW": {"UST10Y": -5e7, "BTC": 5e6},
    HOSTILE: {"UST5Y": 5e7, "BTC": -5e6},
    "_$a$ & 'b'": {"UST10Y": 8e7, "UST5Y@CME": -8e7},
    f"crowded out {FOREIGN}": {"UST2Y": 5e7, "ETH": 5e6},
}
SMALL_STUDY = """
name = "small"
[data]
source = "sample"
factors = ["3M", "2Y", "10Y", "BTC", "ETH"]
end = "2018-12-31"
[coverage]
mpor = { treasury = 5, crypto = 2 }
[models.siloed]
kind = "siloed"
[models.offset]
kind = "correlation_offset"
[models.var]
kind = "historical_var"
[books.coin]
usd = { BTC = 1e7 }
[books."long BTC, long 10Y, with a name that goes on for longer than any label"]
usd = { BTC = 1e7, UST10Y = 1e8 }
[books."short 10Y \u66f8\U0001f680"]
usd = { BTC = 1e7, UST10Y = -1e8 }
"""
EXPLAINS = {name: f"why {name}" for name in BOOKS if not name.startswith("random")}
TITLE = "Do \"quotes\" & 'such' <em>survive</em>?"


BASE = st.HistoricalVaR(lookback=100)
MODELS = {
    "siloed": st.Siloed(base=BASE),
    "_haircut": st.HaircutOnly(schedules=("haircuts/cme/2014", "haircuts/cftc_pilot/2026-05")),
    "var": BASE,
}


@functools.cache
def market() -> bt.Market:
    """A simulated market of 420 days with March 2020 among them."""
    return random_market(420, seed=11, start="2019-06-03")


def book_of(table: dict[str, dict[str, float]]) -> bt.Book:
    frame = pd.DataFrame.from_dict(table, orient="index").fillna(0.0)
    return bt.Book.from_frame(frame, market())


@functools.cache
def study() -> bt.Study:
    """Five books, three models, as the command line leaves it."""
    result = bt.run(market(), book_of(BOOKS), MODELS, seed=5)
    table = {"treasury": "UST10Y", "crypto": "BTC", "steps": 4, "gross": 2e8}
    return replace(result, provenance=replace(result.provenance, study={"sweep": table}))


@functools.cache
def tools_study() -> bt.Study:
    """A base model, alone and with each tool against procyclicality."""
    tools: dict[str, bt.MarginModel] = {
        "base": BASE,
        "buffer": st.Buffer(base=BASE),
        "stress blend": st.StressBlend(base=BASE, days=60),
        "ten-year floor": st.TenYearFloor(base=BASE, step=50),
        "speed limit": st.SpeedLimit(base=BASE),
    }
    return bt.run(market(), book_of(BOOKS), tools, seed=5, audit=False)


TOOLS = ("buffer", "stress blend", "ten-year floor", "speed limit")


@functools.cache
def ladder() -> pd.DataFrame:
    """Offset ladder of the same books."""
    return bt.supportable_offset(market(), book_of(BOOKS), base=BASE).to_frame()


def ladder_with(**values: object) -> pd.DataFrame:
    """The ladder, with other values in the row of one book."""
    return ladder().assign(
        **{c: ladder()[c].where(ladder().index != HOSTILE, v) for c, v in values.items()}
    )


@functools.cache
def stress_result() -> StressResult:
    """Reverse stress of the five books, of a firm that carries two of them, and its layers."""
    book, required = book_of(BOOKS), study().required
    return stress_test(
        market(),
        book,
        {model: margins.to_numpy() for model, margins in required.items()},
        StressPlan(len(market().dates) - 1),
        coverage=bt.Coverage(),
        backing=Backing({LONG: HOSTILE, HOSTILE: HOSTILE}, capital={HOSTILE: 1e6}),
    )


@functools.cache
def sweep() -> pd.DataFrame:
    """A sweep of five shares."""
    return treasury_share_sweep(
        market(), MODELS, SweepTable(steps=4, gross=2e8), base=BASE,
        coverage=bt.Coverage(), account=bt.AccountTerms(), liquidation=None,
    )  # fmt: skip


@functools.cache
def distribution() -> Distribution:
    """Scores of three of the books over four simulated histories."""
    simulator = bt.StationaryBootstrap(block_size=20)
    return bt.monte_carlo(
        simulator, market(), book_of(BOOKS).select([0, 1, 2]), MODELS, paths=4, seed=7
    )


@functools.cache
def many_paths() -> Distribution:
    """The four paths over and over, the cost of one model moved a little each time."""
    few = distribution()
    scores = np.tile(few.scores, (60, 1, 1, 1))
    rng = np.random.default_rng(0)
    scores[:, 1, :, COLUMNS.index("mean_margin")] *= rng.uniform(0.8, 1.2, (len(scores), 1))
    return replace(few, scores=scores)


@functools.cache
def real_run(folder: Path) -> Run:
    """The packaged study on the real prices in `folder`."""
    return execute(None, data=str(folder), progress=lambda what, share: None)


CAPTION = 'A caption with "quotes" & <b>tags</b>.'
COMMAND = "backtest run 'a study.toml' && echo <done>"


def finished(
    study: bt.Study,
    ladder: pd.DataFrame,
    sweep: pd.DataFrame | None = None,
    *,
    title: str = TITLE,
    explains: dict[str, str] = EXPLAINS,
) -> Run:
    """A run as `execute` leaves it, of a study that is computed already."""
    books = {name: BookTable.model_construct(explain=text) for name, text in explains.items()}
    return Run(
        study=study,
        findings=Findings.of(study),
        ladder=ladder,
        forecasts=pd.DataFrame(),
        sweep=sweep,
        distribution=None,
        config=StudyFile.model_construct(title=title, caption=CAPTION, models={}, books=books),
        text="",
    )


def page_of(run: Run, folder: Path) -> str:
    """The page of a run, written with its figures in `folder`."""
    named = {"name": "presented"} | run.study.provenance.study
    study = replace(run.study, provenance=replace(run.study.provenance, study=named))
    write_page(run_exhibit(replace(run, study=study)), folder, command=COMMAND)
    return (folder / "report.html").read_text(encoding="utf-8")


@functools.cache
def treasury_study() -> bt.Study:
    """Real Treasury yields, one silo, one model that is not siloed: no yardstick, no pool."""
    market = bt.load_market("treasury", end="1993-12-31")
    frame = pd.DataFrame({"UST10Y": [1e8, -1e8]}, index=["long", "short"])
    book = bt.Book.from_frame(frame, market)
    return bt.run(market, book, {"var": st.HistoricalVaR(lookback=250)})


@functools.cache
def offset_study() -> OffsetStudy:
    """A small offset study of the simulated market, as the command line makes it."""
    coverage, book = bt.Coverage(), book_of(OFFSET_BOOKS)
    models = {"offset": st.CorrelationOffset(base=BASE, lookback=BASE.lookback), "_var": BASE}
    file = {
        "books": {
            name: {"risk": {"BTC": 1.0} if name == HOSTILE else None} for name in OFFSET_BOOKS
        },
        "coverage": {"confidence": 0.99, "mpor": 2},
        "models": {
            "siloed": {"kind": "siloed"},
            "offset": {"kind": "correlation_offset"},
            "_var": {"kind": "historical_var"},
        },
        "sizing": {"kind": "historical_var", "lookback": BASE.lookback},
    }
    return OffsetStudy(
        market=market(),
        ladder=bt.supportable_offset(market(), book, base=BASE, resamples=20).to_frame(),
        stresses=stressed_ladder(
            market(), book, base=BASE, coverage=coverage, resamples=20, longer_mpor=(5,)
        ),
        specifications=specification_curve(
            market(),
            book.select([0, 1]),
            base=lambda lookback: st.HistoricalVaR(lookback=lookback),
            coverage=coverage,
            lookbacks=(50, BASE.lookback),
            mpors=(1, 2),
            windows=(None, 150, 1000),
            starts=(None, "2019-07-01", "2020-03-01"),
            resamples=20,
        ),
        credit=granted_and_supported(
            market(), book, models, base=BASE, coverage=coverage, window=150
        ),
        covering_settings=pd.DataFrame(),
        steps_by_day=steps_by_day(market(), book, models, coverage=coverage),
        text="",
        provenance=replace(
            Provenance.of(
                market(), book, models, coverage=coverage, seed=5, base=repr(BASE)
            ).of_study(file, ()),
            software=Software({"margin-backtest": "0.1.0"}, commit="c" * 40, dirty=True),
        ),
        rolling=150,
    )


def of_one_book(study: OffsetStudy) -> OffsetStudy:
    """The same study where it holds a single book."""
    return replace(
        study,
        stresses=study.stresses.loc[(slice(None), [LONG]), :],
        specifications=study.specifications[study.specifications["portfolio"] == LONG],
        credit=study.credit[study.credit["portfolio"] == LONG],
    )


def of_real_prices(study: OffsetStudy) -> OffsetStudy:
    """The same tables as if the prices were real."""
    data = replace(study.provenance.prices, source="x", simulated=False)
    provenance = replace(study.provenance, data=data)
    return replace(study, market=replace(study.market, simulated=False), provenance=provenance)


@functools.cache
def closeout_study() -> CloseoutStudy:
    """Two days of close-out for crypto and five for Treasuries, on the packaged sample."""
    with tempfile.TemporaryDirectory() as folder:
        return estimate_closeout(_study_file(folder), data=None, seed=None, progress=_quiet)


@functools.cache
def protect_study() -> ProtectStudy:
    """Two firms and nine accounts at two houses, on the simulated market."""
    done = protected(market(), draws=5)
    accounts = done.margined
    origin = Provenance.of(
        accounts.market, accounts.book, dict(accounts.models), coverage=accounts.coverage, seed=5,
        window=done.window, account=accounts.account, causality={},
    )  # fmt: skip
    config = StudyFile.model_construct(name="small", title="", caption="")
    return ProtectStudy(done, Rules.of(), config, Answers.of(done, _quiet), None, "", origin, None)


@functools.cache
def arranged_stress() -> ArrangedStress:
    """Its stress test on the last day: all yields, up and down, and the most plausible moves."""
    done = protect_study().protection
    last = len(done.margined.market.dates) - 1
    plan = StressPlan(last, worst_days=1, directions=("all yields", "joint"))
    return ArrangedStress.of(done, plan, _quiet)


@functools.cache
def collateral_study() -> CollateralStudy:
    """The same books on every mix of collateral."""
    with tempfile.TemporaryDirectory() as folder:
        return study_collateral(
            _study_file(folder), data=None, seed=None, n_jobs=1, progress=_quiet
        )


def _study_file(folder: str) -> Path:
    path = Path(folder) / "small.toml"
    path.write_text(SMALL_STUDY, encoding="utf-8")
    return path


def _quiet(what: str, share: float) -> None:
    pass


@functools.cache
def weekdays() -> pd.DataFrame:
    """Exceedances and strikes by weekday; the business clock strikes nothing at weekends."""
    rng, rows = np.random.default_rng(0), {}
    for model in ("siloed", "_var"):
        for clock, open_days in (("business", 5), ("24/7", 7)):
            strikes = np.where(np.arange(7) < open_days, 200, 0)
            exceeded = rng.binomial(strikes, 0.02)
            pairs = zip(WEEKDAYS, exceeded, strikes, strict=True)
            row = {day: float(e) for day, e, _ in pairs}
            row |= {f"{day} strikes": float(n) for day, n in zip(WEEKDAYS, strikes, strict=True)}
            rows["exceedances", model, clock] = row
    return pd.DataFrame(rows).T.rename_axis(["measure", "model", "clock"])


@functools.cache
def correlations() -> pd.DataFrame:
    """Correlations of two prices with two Treasuries at three horizons, by two estimators."""
    levels = [("BTC", "ETH"), ("UST2Y", "UST10Y"), (1, 5, 20)]
    keys = [(*key, "same days") for key in pd.MultiIndex.from_product(levels)]
    keys += [(p, t, 1, "Hayashi-Yoshida") for p in levels[0] for t in levels[1]]
    middle = np.random.default_rng(1).uniform(-0.2, 0.2, len(keys))
    names = ["price", "treasury", "horizon", "estimator"]
    table = {"correlation": middle, "low": middle - 0.1, "high": middle + 0.1}
    return pd.DataFrame(table, index=pd.MultiIndex.from_tuples(keys, names=names))


@functools.cache
def power() -> pd.DataFrame:
    """How often tests reject two worlds, at two lengths of record."""
    worlds = {name: ALTERNATIVES[name] for name in ("right", "x2")}
    return power_table([100, 250], alternatives=worlds, histories=50)


@functools.cache
def simulators(kind: str | None = None) -> SimulateStudy:
    """What one simulator of the sample keeps, or what all do."""
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "small.toml"
        file.write_text(SMALL_STUDY)
        return study_simulators(file, data=None, simulator=kind, paths=19, histories=2)


def _with_steps(figure: Figure | None) -> Figure:
    assert figure is not None  # this study has steps
    return figure


# Every figure there is, and how it looks where something is missing or many.
FIGURES: dict[str, Callable[[], Figure]] = {
    "coverage_against_cost": lambda: charts.coverage_against_cost(study()),
    "offset_ladder": lambda: charts.offset_ladder(study(), ladder()),
    "exceedance_timeline": lambda: charts.exceedance_timeline(study()),
    "margin_against_loss": lambda: charts.margin_against_loss(study(), LONG),
    "treasury_share_sweep": lambda: charts.treasury_share_sweep(study(), sweep()),
    "monte_carlo_frontier": lambda: charts.monte_carlo_frontier(distribution(), study(), ladder()),
    "stressed_ladder": lambda: charts.stressed_ladder(offset_study()),
    "specification_curve": lambda: charts.specification_curve(offset_study()),
    "granted_against_supported": lambda: charts.granted_against_supported(offset_study()),
    "steps_from_gross": lambda: charts.steps_from_gross(offset_study()),
    "coordination": lambda: charts.breach_by_coordination(closeout_study()),
    "margin_steps": lambda: _with_steps(charts.margin_steps(closeout_study())),
    "breach_by_mix": lambda: charts.breach_by_mix(collateral_study()),
    "moves_against_haircuts": lambda: charts.moves_against_haircuts(collateral_study()),
    "weekdays": lambda: charts.exceedances_by_weekday(
        weekdays(), bt.Coverage(), footnote="Source: random.", simulated=True
    ),
    "correlation": lambda: charts.correlation_by_horizon(
        correlations(), footnote="Source: random.", simulated=True
    ),
    "margin_through_stress": lambda: charts.margin_through_stress(
        tools_study(), LONG, "base", TOOLS
    ),
    "mitigation_against_cost": lambda: charts.mitigation_against_cost(tools_study(), "base", TOOLS),
    "power": lambda: charts.power_of_tests(
        power(), labels={"right": "promised rate", "x2": "rate x 2"}, footnote="Exact."
    ),
    "kept_and_lost": lambda: charts.kept_and_lost(simulators("multivariate_t")),
    "clustering_by_lag": lambda: charts.clustering_by_lag(simulators("multivariate_t")),
    "lost_by_simulator": lambda: charts.lost_by_simulator(simulators("all")),
    "who_bears": lambda: charts.who_bears(protect_study()),
    "frontier": lambda: charts.loss_against_saving(protect_study()),
    "fellow_days": lambda: _with_steps(charts.days_of_loss(protect_study())),
    "cover": lambda: charts.cover_of_members(protect_study()),
    "reverse_stress": lambda: charts.reverse_stress(
        stress_result(), study().provenance.footnote(), simulated=True
    ),
    "distance_of_layers": lambda: _with_steps(
        charts.distance_of_layers(arranged_stress(), study().provenance.footnote(), simulated=True)
    ),
}
VARIANTS: dict[str, Callable[[], Figure]] = {
    "coverage_against_cost without a yardstick": lambda: charts.coverage_against_cost(
        treasury_study()
    ),
    "margin_against_loss of real prices": lambda: charts.margin_against_loss(
        treasury_study(), treasury_study().loss.columns[0]
    ),
    "exceedance_timeline of real prices": lambda: charts.exceedance_timeline(treasury_study()),
    "monte_carlo_frontier of many paths": lambda: charts.monte_carlo_frontier(
        many_paths(), study()
    ),
    "offset_ladder of a negative dependence": lambda: charts.offset_ladder(
        study(), ladder_with(total=0.1, diversification=0.25, dependence=-0.15, total_bound=-0.31)
    ),
} | {
    f"{draw.__name__} of {words}": functools.partial(
        lambda d, c: d(c(offset_study())), draw, change
    )
    for draw in (
        charts.stressed_ladder,
        charts.specification_curve,
        charts.granted_against_supported,
        charts.steps_from_gross,
    )
    for words, change in (("one book", of_one_book), ("real prices", of_real_prices))
}
