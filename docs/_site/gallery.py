"""The gallery: code of a few lines, run while the site is built, and the figures that it drew.

What stands on the page is what was run, word for word: a figure that its code no longer draws ends
the build.
"""

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

STUDY_FILE = """\
name = "gallery"
[data]
source = "sample"                # SIMULATED
factors = ["3M", "2Y", "5Y", "10Y", "BTC", "ETH"]
end = "2021-12-31"
[coverage]
mpor = 2
[models.siloed]
kind = "siloed"
[models.offset]
kind = "correlation_offset"
[models.var]
kind = "historical_var"
[books."long BTC, long 10Y"]
risk = { BTC = 1, UST10Y = 1 }
[books."long BTC, short 10Y"]
risk = { BTC = 1, UST10Y = -1 }
"""


@dataclass(frozen=True)
class Group:
    """Figures of one result.

    Parameters
    ----------
    title, text : what the figures are of. code : makes the result.
    figures : name of `bt.charts` -> the expression that gives the figure.
    """

    title: str
    text: str
    code: str
    figures: dict[str, str]


GROUPS = (
    Group(
        "A study",
        "`bt.run` and its offset ladder; `backtest run` draws the same.",
        """\
import pandas as pd

import backtest as bt
import strategies as st

market = bt.load_market("sample", end="2021-12-31")  # SIMULATED
coverage = bt.Coverage(confidence=0.99, mpor=2)
base = st.HistoricalVaR(lookback=500)
legs = pd.DataFrame(
    {"UST10Y": [1, -1, 1], "BTC": [1, 1, 0], "UST5Y@CME": [0, 0, -1]},
    index=["long BTC, long 10Y", "long BTC, short 10Y", "control: 10Y against 5Y at CME"],
)
book = bt.Book.risk_matched(legs, market, base=base, coverage=coverage, gross=100e6)
models = {
    "siloed": st.Siloed(),
    "haircut": st.HaircutOnly(),
    "offset": st.CorrelationOffset(),
    "var": base,
}
study = bt.run(market, book, models, coverage=coverage)
ladder = bt.supportable_offset(market, book, base=base, coverage=coverage).to_frame()
""",
        {
            "offset_ladder": "bt.charts.offset_ladder(study, ladder)",
            "coverage_against_cost": "bt.charts.coverage_against_cost(study)",
            "exceedance_timeline": "bt.charts.exceedance_timeline(study)",
            "margin_against_loss": 'bt.charts.margin_against_loss(study, "long BTC, long 10Y")',
        },
    ),
    Group(
        "A sweep of shares",
        "From all crypto to all Treasuries, the same gross: `[sweep]` of a study file.",
        """\
from backtest.config.schema import SweepTable
from backtest.studies.run.sweep import treasury_share_sweep

sweep = treasury_share_sweep(
    market, models, SweepTable(steps=10, gross=100e6), base=base,
    coverage=coverage, account=bt.AccountTerms(), liquidation=None,
)
""",
        {"treasury_share_sweep": "bt.charts.treasury_share_sweep(study, sweep)"},
    ),
    Group(
        "Monte Carlo",
        "The same study over simulated histories: `backtest run --paths N`.",
        """\
simulator = bt.StationaryBootstrap(block_size=20)
distribution = bt.monte_carlo(
    simulator, market, book, models, coverage=coverage, paths=60, seed=7
)
""",
        {"monte_carlo_frontier": "bt.charts.monte_carlo_frontier(distribution, study, ladder)"},
    ),
    Group(
        "Simulated histories",
        "What a simulator keeps of the data: `backtest simulate gallery.toml`, and of several.",
        """\
from pathlib import Path

from backtest.studies.simulate.study import study_simulators

file = Path("gallery.toml")
simulated = study_simulators(file, data=None, paths=100)
compared = study_simulators(file, data=None, simulator="all", paths=50, histories=0)
""",
        {
            "kept_and_lost": "bt.charts.kept_and_lost(simulated)",
            "clustering_by_lag": "bt.charts.clustering_by_lag(simulated)",
            "lost_by_simulator": "bt.charts.lost_by_simulator(compared)",
        },
    ),
    Group(
        "Tools against procyclicality",
        "One base model, alone and with each tool over it: `backtest run procyclicality`.",
        """\
fast = st.FilteredHistorical()
tools = {
    "base": fast,
    "buffer": st.Buffer(base=fast),
    "stress blend": st.StressBlend(base=fast),
    "speed limit": st.SpeedLimit(base=fast),
}
calmed = bt.run(market, book, tools, coverage=coverage)
names = ["buffer", "stress blend", "speed limit"]
""",
        {
            "margin_through_stress": (
                'bt.charts.margin_through_stress(calmed, "long BTC, long 10Y", "base", names)'
            ),
            "mitigation_against_cost": ('bt.charts.mitigation_against_cost(calmed, "base", names)'),
        },
    ),
    Group(
        "The supportable offset",
        "`backtest offset gallery.toml` computes and draws this; in Python:",
        """\
from pathlib import Path

from backtest.studies.offset.study import estimate_offsets
from backtest.types import unheard

file = Path("gallery.toml")
offsets = estimate_offsets(file, data=None, seed=None, n_jobs=1, progress=unheard)
""",
        {
            "stressed_ladder": "bt.charts.stressed_ladder(offsets)",
            "specification_curve": "bt.charts.specification_curve(offsets)",
            "granted_against_supported": "bt.charts.granted_against_supported(offsets)",
            "steps_from_gross": "bt.charts.steps_from_gross(offsets)",
        },
    ),
    Group(
        "Close-out",
        "`backtest closeout gallery.toml`.",
        """\
from backtest.studies.closeout.study import estimate_closeout

closeout = estimate_closeout(file, data=None, seed=None, progress=unheard)
""",
        {
            "breach_by_coordination": "bt.charts.breach_by_coordination(closeout)",
            "margin_steps": "bt.charts.margin_steps(closeout)",
        },
    ),
    Group(
        "Stress",
        "The packaged scenarios and reverse stress on the last day: `[stress]` of a study file.",
        """\
from backtest.stress import StressPlan, packaged_scenarios, stress_test

last = len(market.dates) - 1
plan = StressPlan(last, tuple(packaged_scenarios(market, last)))
margins = {name: model.margin(market, book, coverage) for name, model in models.items()}
stressed = stress_test(market, book, margins, plan, coverage=coverage)
""",
        {
            "reverse_stress": (
                'bt.charts.reverse_stress(stressed, "Source: the sample.", simulated=True)'
            ),
        },
    ),
    Group(
        "Customers, firms and houses",
        "The packaged structure: `backtest protect`.",
        """\
from backtest.studies.protect.study import study_protection

protected = study_protection(None, data=None, seed=None, progress=unheard)
""",
        {
            "who_bears": "bt.charts.who_bears(protected)",
            "loss_against_saving": "bt.charts.loss_against_saving(protected)",
            "days_of_loss": "bt.charts.days_of_loss(protected)",
            "cover_of_members": "bt.charts.cover_of_members(protected)",
            "distance_of_layers": (
                'bt.charts.distance_of_layers(protected.arranged, "The sample.", simulated=True)'
            ),
        },
    ),
    Group(
        "Collateral",
        "`backtest collateral gallery.toml`.",
        """\
from backtest.studies.collateral.study import study_collateral

collateral = study_collateral(file, data=None, seed=None, n_jobs=1, progress=unheard)
""",
        {
            "breach_by_mix": "bt.charts.breach_by_mix(collateral)",
            "moves_against_haircuts": "bt.charts.moves_against_haircuts(collateral)",
        },
    ),
    Group(
        "Two clocks",
        "The sample has no closes at weekends, so the prices here are random walks that trade "
        "every day, written as files; `backtest clocks study.toml --data walks`.",
        """\
import numpy as np

days = pd.date_range("2019-01-01", "2022-12-31")
rng = np.random.default_rng(7)
walks = Path("walks")
walks.mkdir()
for coin in ("btc", "eth"):
    close = 1000 * np.exp(np.cumsum(rng.standard_t(4, len(days)) * 0.025))
    frame = pd.DataFrame({"Date": days, "Close": close.round(2)})
    frame.to_csv(walks / f"{coin}_usd.csv", index=False)
weekdays = days[days.weekday < 5]
yields = 3 + np.cumsum(rng.standard_t(4, (len(weekdays), 5)) * 0.02, axis=0)
frame = pd.DataFrame(yields.clip(0.1).round(2), columns=["3M", "2Y", "5Y", "10Y", "30Y"])
frame.insert(0, "Date", weekdays)
frame.to_csv(walks / "treasury_par_yields.csv", index=False)

from backtest.studies.clocks.study import compare_clocks

clocks = compare_clocks(file, data="walks", seed=None, progress=unheard)
words = {"footnote": "Source: random walks.", "simulated": True}
""",
        {
            "exceedances_by_weekday": (
                "bt.charts.exceedances_by_weekday(clocks.weekdays, coverage, **words)"
            ),
            "correlation_by_horizon": (
                "bt.charts.correlation_by_horizon(clocks.correlation, **words)"
            ),
        },
    ),
    Group(
        "What a test can see",
        "`backtest power` draws it for more worlds and lengths.",
        """\
from backtest.scores.alternatives import ALTERNATIVES
from backtest.scores.power import power_table

worlds = {name: ALTERNATIVES[name] for name in ("right", "x2")}
power = power_table([250, 500, 1000], alternatives=worlds, histories=200)
labels = {"right": "the promised rate", "x2": "twice that rate"}
""",
        {
            "power_of_tests": (
                'bt.charts.power_of_tests(power, labels=labels, footnote="Source: drawn records.")'
            ),
        },
    ),
)
# Names of bt.charts that are no figure: the class, and what gives or writes several at once.
HELPERS = {
    "Figure": "what each name below returns: `.data`, `.caption`, `.draw(ax=None)`.",
    "run_figures": "all figures of a run, as `backtest run` writes them.",
    "offset_figures": "all figures of an offset study, as `backtest offset` writes them.",
    "write_figures": "writes figures as SVG, PDF and PNG, each with its numbers as CSV.",
}


def write_gallery(source: Path, say: Callable[[str], None] = print) -> None:
    """Write gallery.md and its pictures.

    source : of the site's pages. say : told of each group before it is computed.

    Raises
    ------
    SystemExit : a name of `bt.charts` is not in the gallery, or gives no figure.
    """
    import matplotlib

    matplotlib.use("Agg")
    pictures = source / "gallery"
    pictures.mkdir(parents=True)
    names: dict[str, Any] = {}
    lines = [*opening(), ""]
    here = Path.cwd()
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.chdir(folder)
        try:
            Path("gallery.toml").write_text(STUDY_FILE, encoding="utf-8")
            for group in GROUPS:
                say(f"gallery: {group.title}")
                exec(group.code, names)
                lines += [f"## {group.title}", "", group.text, "", *code(group.code)]
                for name, expression in group.figures.items():
                    lines += shown(name, expression, eval(expression, names), pictures)
        finally:
            os.chdir(here)
    missing = set(names["bt"].charts.__all__) - set(HELPERS)
    missing -= {name for group in GROUPS for name in group.figures}
    if missing:
        raise SystemExit(f"the gallery has no {', '.join(sorted(missing))}; add it to GROUPS.")
    (source / "gallery.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def opening() -> list[str]:
    """The head of the page: what is shown, and the study file that some figures are of."""
    return [
        "# Gallery",
        "",
        "Every figure of `bt.charts`, with the code that drew it while this page was made. Prices "
        "are **simulated**: the figures show what a chart looks like and no finding. Each is 6.5 "
        "inches wide, in letters of 8 points; `.data` holds its numbers, `bt.charts.write_figures` "
        "writes it as SVG, PDF and PNG with a CSV beside.",
        "",
        *(f"- `{name}`: {text}" for name, text in HELPERS.items()),
        "",
        "The study file of the later groups, `gallery.toml`:",
        "",
        *code(STUDY_FILE, "toml"),
    ]


def code(text: str, language: str = "python") -> list[str]:
    """A block of code."""
    return [f"```{language}", *text.strip("\n").splitlines(), "```", ""]


def shown(name: str, expression: str, figure: Any, pictures: Path) -> list[str]:
    """The lines of one figure, its picture written."""
    if figure is None:
        raise SystemExit(f"the gallery's code gives no figure for {name}.")
    drawing = figure.draw().figure
    drawing.savefig(pictures / f"{name}.svg")
    alt = " ".join(figure.caption.alt.split()).replace("[", "(").replace("]", ")")
    return [
        f"### {name}",
        "",
        *code(f"{expression}.draw()"),
        f"```{{image}} gallery/{name}.svg",
        f":alt: {alt}",
        "```",
        "",
    ]
